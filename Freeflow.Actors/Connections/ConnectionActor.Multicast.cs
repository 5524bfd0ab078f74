using Akka.Actor;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// Multicast: which UD QPs are attached to which groups. The engine knows the groups, of this router and of the others.
public sealed partial class ConnectionActor
{
    private sealed record MulticastDone(Pair Pair, (Gid Group, ushort Mlid) Attachment, int Errno);

    private void AttachMulticast(UverbsCall call)
    {
        if (!call.TryRead<MulticastCommand>(out var command) || !_queuePairs.TryGet(command.QpHandle, out var pair))
        {
            Fail(Errno.ENOENT);
            return;
        }

        var attachment = (command.Group, command.Mlid);
        if (pair.Groups.Contains(attachment))
        {
            Done();
        }
        else if (!command.Group.IsMulticast || pair.Type != QueuePairType.UnreliableDatagram)
        {
            Fail(Errno.EINVAL);
        }
        else if (_queuePairs.Items.Sum(each => each.Groups.Count) >= _plane.Limits.MulticastAttachments
            || !_quota.MulticastAttachments.HasRoom)
        {
            Fail(Errno.ENOMEM);
        }
        else
        {
            var self = Self;
            _plane.Engine.JoinGroup((EngineQueuePair)pair.EngineObject!, command.Group,
                joined => self.Tell(new MulticastDone(pair, attachment, joined ? 0 : Errno.ENOMEM)));
            Await();
        }
    }

    private void DetachMulticast(UverbsCall call)
    {
        if (!call.TryRead<MulticastCommand>(out var command) || !_queuePairs.TryGet(command.QpHandle, out var pair))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (!pair.Groups.Remove((command.Group, command.Mlid)))
        {
            Fail(Errno.EINVAL);
            return;
        }

        _quota.MulticastAttachments.Change(-1);

        // It may be attached by another LID, too.
        if (pair.Groups.Any(other => other.Group == command.Group))
        {
            Done();
            return;
        }

        var self = Self;
        _plane.Engine.LeaveGroup((EngineQueuePair)pair.EngineObject!, command.Group,
            () => self.Tell(ConnectionProtocol.Answer.Done));
        Await();
    }

    private void AnswerMulticast(MulticastDone done)
    {
        if (done.Errno == 0)
        {
            done.Pair.Groups.Add(done.Attachment);
            _quota.MulticastAttachments.Change(+1);
            Done();
        }
        else
        {
            Fail(done.Errno);
        }

        Resume();
    }
}
