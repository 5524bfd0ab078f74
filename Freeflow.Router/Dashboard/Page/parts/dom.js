// Elements are made here and nowhere else, and what goes into them is text: nothing that a container has named itself is ever read as markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: h('td', { class: 'number' }, '12'). Attributes that are null or false are left out; on… are listeners. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** Sets an attribute where it differs; null or false takes it away. */
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value === true ? '' : value);
  }
}

/** Sets an element's text where it differs, so that what has not changed is neither drawn nor read out again. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else {
      set(element, name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
