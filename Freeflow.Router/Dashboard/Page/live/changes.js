// What is read out to who can't see the page, from one message to the next. The router's own events have the rest.

/** Sentences on a table's change. */
export function changesOf(name, before, part) {
  const of = { members, flows }[name];
  if (!of) return [];
  const gone = part.All ? [...before.keys()].filter((key) => !(key in part.Rows)) : part.Gone;
  return [
    ...gone.filter((key) => before.has(key)).flatMap((key) => of(before.get(key), null)),
    ...Object.entries(part.Rows).flatMap(([key, row]) => of(before.get(key) ?? null, row)),
  ];
}

/** How a member is, in a word. */
export function memberState(member) {
  if (!member.Reachable) return { text: 'unreachable', tone: 'bad' };
  return { text: member.Status, tone: member.Status === 'Up' ? 'good' : member.Status === 'Down' ? 'bad' : 'warn' };
}

function members(before, now) {
  if (!now) return [`Router ${before.Address} is no member any more`];
  const { text } = memberState(now);
  if (!before) return [`Router ${now.Address} is a member: ${text}`];
  return memberState(before).text === text ? [] : [`Router ${now.Address} is ${text}`];
}

function flows(before, now) {
  return before && now && !before.Flow.HasStrayed && now.Flow.HasStrayed ? [`The socket of ${now.Flow.Local} has left its peer`] : [];
}
