using System.Reflection;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Abi;

public sealed class StructuresMatchTheHeaders
{
    private static readonly (Type Type, string Structure)[] s_structures =
    [
        (typeof(CommandHeader), "ib_uverbs_cmd_hdr"),
        (typeof(ExtendedCommandHeader), "ib_uverbs_ex_cmd_hdr"),
        (typeof(GetContextCommand), "ib_uverbs_get_context"),
        (typeof(GetContextResponse), "ib_uverbs_get_context_resp"),
        (typeof(QueryDeviceCommand), "ib_uverbs_query_device"),
        (typeof(QueryDeviceResponse), "ib_uverbs_query_device_resp"),
        (typeof(ExQueryDeviceCommand), "ib_uverbs_ex_query_device"),
        (typeof(ExQueryDeviceResponse), "ib_uverbs_ex_query_device_resp"),
        (typeof(QueryPortCommand), "ib_uverbs_query_port"),
        (typeof(QueryPortResponse), "ib_uverbs_query_port_resp"),
        (typeof(AllocPdCommand), "ib_uverbs_alloc_pd"),
        (typeof(AllocPdResponse), "ib_uverbs_alloc_pd_resp"),
        (typeof(DeallocPdCommand), "ib_uverbs_dealloc_pd"),
        (typeof(RegMrCommand), "ib_uverbs_reg_mr"),
        (typeof(RegMrResponse), "ib_uverbs_reg_mr_resp"),
        (typeof(ReregMrCommand), "ib_uverbs_rereg_mr"),
        (typeof(ReregMrResponse), "ib_uverbs_rereg_mr_resp"),
        (typeof(DeregMrCommand), "ib_uverbs_dereg_mr"),
        (typeof(AllocMwCommand), "ib_uverbs_alloc_mw"),
        (typeof(AllocMwResponse), "ib_uverbs_alloc_mw_resp"),
        (typeof(DeallocMwCommand), "ib_uverbs_dealloc_mw"),
        (typeof(CreateCompChannelCommand), "ib_uverbs_create_comp_channel"),
        (typeof(CreateCompChannelResponse), "ib_uverbs_create_comp_channel_resp"),
        (typeof(CreateCqCommand), "ib_uverbs_create_cq"),
        (typeof(ExCreateCqCommand), "ib_uverbs_ex_create_cq"),
        (typeof(CreateCqResponse), "ib_uverbs_create_cq_resp"),
        (typeof(ExCreateCqResponse), "ib_uverbs_ex_create_cq_resp"),
        (typeof(ResizeCqCommand), "ib_uverbs_resize_cq"),
        (typeof(ResizeCqResponse), "ib_uverbs_resize_cq_resp"),
        (typeof(CreateSrqCommand), "ib_uverbs_create_srq"),
        (typeof(CreateXsrqCommand), "ib_uverbs_create_xsrq"),
        (typeof(CreateSrqResponse), "ib_uverbs_create_srq_resp"),
        (typeof(CreateSrqDriverResponse), "rxe_create_srq_resp"),
        (typeof(ModifySrqCommand), "ib_uverbs_modify_srq"),
        (typeof(ModifySrqDriverCommand), "rxe_modify_srq_cmd"),
        (typeof(QuerySrqCommand), "ib_uverbs_query_srq"),
        (typeof(QuerySrqResponse), "ib_uverbs_query_srq_resp"),
        (typeof(DestroySrqCommand), "ib_uverbs_destroy_srq"),
        (typeof(DestroySrqResponse), "ib_uverbs_destroy_srq_resp"),
        (typeof(ReqNotifyCqCommand), "ib_uverbs_req_notify_cq"),
        (typeof(DestroyCqCommand), "ib_uverbs_destroy_cq"),
        (typeof(DestroyCqResponse), "ib_uverbs_destroy_cq_resp"),
        (typeof(CreateQpCommand), "ib_uverbs_create_qp"),
        (typeof(ExCreateQpCommand), "ib_uverbs_ex_create_qp"),
        (typeof(CreateQpResponse), "ib_uverbs_create_qp_resp"),
        (typeof(ExCreateQpResponse), "ib_uverbs_ex_create_qp_resp"),
        (typeof(QpDestination), "ib_uverbs_qp_dest"),
        (typeof(QueryQpCommand), "ib_uverbs_query_qp"),
        (typeof(QueryQpResponse), "ib_uverbs_query_qp_resp"),
        (typeof(ModifyQpCommand), "ib_uverbs_modify_qp"),
        (typeof(ExModifyQpCommand), "ib_uverbs_ex_modify_qp"),
        (typeof(ExModifyQpResponse), "ib_uverbs_ex_modify_qp_resp"),
        (typeof(DestroyQpCommand), "ib_uverbs_destroy_qp"),
        (typeof(DestroyQpResponse), "ib_uverbs_destroy_qp_resp"),
        (typeof(AddressAttributes), "ib_uverbs_ah_attr"),
        (typeof(CreateAhCommand), "ib_uverbs_create_ah"),
        (typeof(DestroyAhCommand), "ib_uverbs_destroy_ah"),
        (typeof(MulticastCommand), "ib_uverbs_attach_mcast"),
        (typeof(MulticastCommand), "ib_uverbs_detach_mcast"),
        (typeof(AsyncEventDescriptor), "ib_uverbs_async_event_desc"),
        (typeof(CompletionEventDescriptor), "ib_uverbs_comp_event_desc"),
        (typeof(WorkCompletion), "ib_uverbs_wc"),
        (typeof(MmapInfo), "mminfo"),
        (typeof(ScatterGatherEntry), "rxe_sge"),
        (typeof(SendWqeHead), "rxe_send_wqe"),
        (typeof(ReceiveWqeHead), "rxe_recv_wqe"),
        (typeof(ShimHeader), "ff_header"),
        (typeof(ShimHello), "ff_hello"),
        (typeof(ShimHelloReply), "ff_hello_reply"),
        (typeof(ShimMmap), "ff_mmap"),
        (typeof(ShimShareRequest), "ff_share_request"),
        (typeof(ShimShare), "ff_share"),
        (typeof(ShimNote), "ff_note"),
        (typeof(ShimSockets), "ff_sockets"),
        (typeof(ShimDelivery), "ff_delivery"),
        (typeof(ShimListenerNote), "ff_listener_note"),
        (typeof(ShimResolve), "ff_resolve"),
        (typeof(ShimResolved), "ff_resolved"),
        (typeof(ShimListen), "ff_listen"),
    ];

    /// <summary>All that <see cref="InOffsetsAndConstants"/> asks for, by one run of the compiler.</summary>
    private static readonly Lazy<Dictionary<string, long>> s_theirs = new(() =>
    {
        var method = typeof(StructuresMatchTheHeaders).GetMethod(nameof(InOffsetsAndConstants))!;
        string[] expressions = [.. method.GetCustomAttributes<InlineDataAttribute>().Select(data => (string)data.GetData(method).Single()[1]).Distinct()];
        return expressions.Zip(KernelHeaders.Evaluate(expressions)).ToDictionary();
    });

    [Fact]
    public void InSize()
    {
        var sizes = KernelHeaders.Evaluate(s_structures.Select(pair => $"sizeof(struct {pair.Structure})"));
        foreach (var ((type, structure), size) in s_structures.Zip(sizes))
            Assert.True(Marshal.SizeOf(type) == size, $"{type.Name}: {Marshal.SizeOf(type)} bytes; struct {structure}: {size}");
    }

    [Theory]
    [InlineData(RingLayout.Log2ElementSize, "offsetof(struct rxe_queue_buf, log2_elem_size)")]
    [InlineData(RingLayout.IndexMask, "offsetof(struct rxe_queue_buf, index_mask)")]
    [InlineData(RingLayout.ProducerIndex, "offsetof(struct rxe_queue_buf, producer_index)")]
    [InlineData(RingLayout.ConsumerIndex, "offsetof(struct rxe_queue_buf, consumer_index)")]
    [InlineData(RingLayout.Data, "offsetof(struct rxe_queue_buf, data)")]
    [InlineData(SendWqeHead.Size, "offsetof(struct rxe_send_wqe, dma.sge)")]
    [InlineData(12, "offsetof(struct rxe_send_wqe, wr.opcode)")]
    [InlineData(16, "offsetof(struct rxe_send_wqe, wr.send_flags)")]
    [InlineData(20, "offsetof(struct rxe_send_wqe, wr.ex)")]
    [InlineData(24, "offsetof(struct rxe_send_wqe, wr.wr.rdma.remote_addr)")]
    [InlineData(32, "offsetof(struct rxe_send_wqe, wr.wr.rdma.rkey)")]
    [InlineData(32, "offsetof(struct rxe_send_wqe, wr.wr.atomic.compare_add)")]
    [InlineData(40, "offsetof(struct rxe_send_wqe, wr.wr.atomic.swap)")]
    [InlineData(48, "offsetof(struct rxe_send_wqe, wr.wr.atomic.rkey)")]
    [InlineData(24, "offsetof(struct rxe_send_wqe, wr.wr.ud.remote_qpn)")]
    [InlineData(28, "offsetof(struct rxe_send_wqe, wr.wr.ud.remote_qkey)")]
    [InlineData(36, "offsetof(struct rxe_send_wqe, wr.wr.ud.ah_num)")]
    [InlineData(64, "offsetof(struct rxe_send_wqe, wr.wr.ud.av.grh.dgid)")]
    [InlineData(80, "offsetof(struct rxe_send_wqe, wr.wr.ud.av.grh.flow_label)")]
    [InlineData(84, "offsetof(struct rxe_send_wqe, wr.wr.ud.av.grh.sgid_index)")]
    [InlineData(85, "offsetof(struct rxe_send_wqe, wr.wr.ud.av.grh.hop_limit)")]
    [InlineData(86, "offsetof(struct rxe_send_wqe, wr.wr.ud.av.grh.traffic_class)")]
    [InlineData(12, "sizeof(struct ib_uverbs_create_ah_resp) + sizeof(struct rxe_create_ah_resp)")]
    [InlineData(16, "offsetof(struct ib_uverbs_attach_mcast, qp_handle)")]
    [InlineData(20, "offsetof(struct ib_uverbs_attach_mcast, mlid)")]
    [InlineData(24, "offsetof(struct ib_uverbs_create_ah, attr)")]
    [InlineData(24, "offsetof(struct ib_uverbs_ah_attr, dlid)")]
    [InlineData(29, "offsetof(struct ib_uverbs_ah_attr, is_global)")]
    [InlineData(30, "offsetof(struct ib_uverbs_ah_attr, port_num)")]
    [InlineData(24, "offsetof(struct rxe_send_wqe, wr.wr.mw.addr)")]
    [InlineData(32, "offsetof(struct rxe_send_wqe, wr.wr.mw.length)")]
    [InlineData(40, "offsetof(struct rxe_send_wqe, wr.wr.mw.mr_lkey)")]
    [InlineData(44, "offsetof(struct rxe_send_wqe, wr.wr.mw.mw_rkey)")]
    [InlineData(48, "offsetof(struct rxe_send_wqe, wr.wr.mw.rkey)")]
    [InlineData(52, "offsetof(struct rxe_send_wqe, wr.wr.mw.access)")]
    [InlineData(184, "offsetof(struct rxe_send_wqe, dma.length)")]
    [InlineData(196, "offsetof(struct rxe_send_wqe, dma.num_sge)")]
    [InlineData(16, "offsetof(struct rxe_recv_wqe, dma.length)")]
    [InlineData(28, "offsetof(struct rxe_recv_wqe, dma.num_sge)")]
    [InlineData(ReceiveWqeHead.Size, "offsetof(struct rxe_recv_wqe, dma.sge)")]
    [InlineData(0, "offsetof(struct ff_doorbell, asleep)")]
    [InlineData(64, "offsetof(struct ff_doorbell, summary)")]
    [InlineData(128, "offsetof(struct ff_doorbell, send)")]
    [InlineData(1024, "offsetof(struct ff_doorbell, arm)")]
    [InlineData(EngineConnection.MaximumQueuePairs, "FF_MAX_QPS")]
    [InlineData(EngineConnection.MaximumCompletionQueues, "FF_MAX_CQS")]
    [InlineData(ShimProtocol.MaximumMessage, "FF_MAX_MESSAGE")]
    [InlineData((int)ShimProtocol.Version, "FF_PROTOCOL_VERSION")]
    [InlineData((int)ShimProtocol.Magic, "FF_MAGIC")]
    [InlineData((int)ShimMessageType.Hello, "FF_HELLO")]
    [InlineData((int)ShimMessageType.Command, "FF_COMMAND")]
    [InlineData((int)ShimMessageType.Mmap, "FF_MMAP")]
    [InlineData((int)ShimMessageType.Share, "FF_SHARE")]
    [InlineData((int)ShimMessageType.Listen, "FF_LISTEN")]
    [InlineData((int)ShimMessageType.Resolve, "FF_RESOLVE")]
    [InlineData((int)ShimConnectionKind.Sysfs, "FF_KIND_SYSFS")]
    [InlineData((int)ShimConnectionKind.Uverbs, "FF_KIND_UVERBS")]
    [InlineData((int)ShimConnectionKind.Tcp, "FF_KIND_TCP")]
    [InlineData((int)ShimConnectionKind.RdmaCm, "FF_KIND_RDMA_CM")]
    [InlineData((int)NoteType.Want, "FF_NOTE_WANT")]
    [InlineData((int)NoteType.Connect, "FF_NOTE_CONNECT")]
    [InlineData((int)NoteType.Flow, "FF_NOTE_FLOW")]
    [InlineData((int)NoteType.Plain, "FF_NOTE_PLAIN")]
    [InlineData((int)NoteType.Drop, "FF_NOTE_DROP")]
    [InlineData((int)RouteFlags.Learns, "FF_ROUTE_LEARNS")]
    [InlineData((int)NoteFlags.Ipv6, "FF_NOTE_IPV6")]
    [InlineData((int)NoteFlags.Bound, "FF_NOTE_BOUND")]
    [InlineData((int)NoteFlags.Sample, "FF_NOTE_SAMPLE")]
    [InlineData((int)NoteFlags.Here, "FF_NOTE_HERE")]
    [InlineData((int)ListenerNoteType.Waits, "FF_LISTENER_WAITS")]
    [InlineData((int)ListenerNoteType.Backlog, "FF_LISTENER_BACKLOG")]
    [InlineData((int)ListenerNoteType.Ends, "FF_LISTENER_ENDS")]
    [InlineData((int)PlainReason.None, "FF_REASON_NONE")]
    [InlineData((int)PlainReason.NoListener, "FF_REASON_NO_LISTENER")]
    [InlineData((int)PlainReason.NoOwner, "FF_REASON_NO_OWNER")]
    [InlineData((int)PlainReason.Unreachable, "FF_REASON_UNREACHABLE")]
    [InlineData((int)PlainReason.OwnAddress, "FF_REASON_OWN_ADDRESS")]
    [InlineData((int)PlainReason.Busy, "FF_REASON_BUSY")]
    [InlineData((int)PlainReason.Short, "FF_REASON_SHORT")]
    [InlineData((int)PlainReason.Configured, "FF_REASON_CONFIGURED")]
    [InlineData((int)PlainReason.Policy, "FF_REASON_POLICY")]
    [InlineData((int)PlainReason.Privileged, "FF_REASON_PRIVILEGED")]
    [InlineData((int)PlainReason.Source, "FF_REASON_SOURCE")]
    [InlineData((int)PlainReason.NoPorts, "FF_REASON_NO_PORTS")]
    [InlineData((int)PlainReason.Limit, "FF_REASON_LIMIT")]
    [InlineData((int)PlainReason.Underlay, "FF_REASON_UNDERLAY")]
    [InlineData((int)PlainReason.Draining, "FF_REASON_DRAINING")]
    [InlineData((int)PlainReason.Shared, "FF_REASON_SHARED")]
    [InlineData((int)PlainReason.Option, "FF_REASON_OPTION")]
    [InlineData((int)PlainReason.Slow, "FF_REASON_SLOW")]
    [InlineData((int)PlainReason.Refused, "FF_REASON_REFUSED")]
    [InlineData((int)PlainReason.Nested, "FF_REASON_NESTED")]
    [InlineData(HandoverProcess.MaximumRoutes, "FF_MAX_ROUTES")]
    [InlineData(HostSocket.MaximumDescriptors, "FF_MAX_SOCKETS")]
    [InlineData(HandoverApplication.NoRoute, "FF_NO_ROUTE")]
    [InlineData(EndsOption.Mark, "FF_ENDS_MARK")]
    [InlineData(EndsOption.Option, "FF_ENDS_OPTION")]
    [InlineData(0x81, "FF_ROUTE_VERDICT(0x12347781u)")]
    [InlineData(0x77, "FF_ROUTE_REASON(0x12347781u)")]
    [InlineData(0x1234, "FF_ROUTE_GENERATION(0x12347781u)")]
    public void InOffsetsAndConstants(long ours, string theirs) => Assert.Equal(s_theirs.Value[theirs], ours);

    /// <summary>TCP mode's structures carry each field under the same name, but for how it is written.</summary>
    [Theory]
    [InlineData(typeof(ShimNote), "ff_note")]
    [InlineData(typeof(ShimSockets), "ff_sockets")]
    [InlineData(typeof(ShimDelivery), "ff_delivery")]
    [InlineData(typeof(ShimListenerNote), "ff_listener_note")]
    [InlineData(typeof(ShimResolve), "ff_resolve")]
    [InlineData(typeof(ShimResolved), "ff_resolved")]
    [InlineData(typeof(ShimListen), "ff_listen")]
    [InlineData(typeof(ShimEnds), "ff_ends")]
    public void InEachField(Type type, string structure)
    {
        string[] fields = [.. type.GetFields().Select(field => field.Name)];
        Assert.NotEmpty(fields);
        var theirs = KernelHeaders.Evaluate(fields.Select(field => $"offsetof(struct {structure}, {Written(field)})"));
        foreach (var (field, offset) in fields.Zip(theirs))
            Assert.True((long)Marshal.OffsetOf(type, field) == offset, $"{type.Name}.{field} is at {Marshal.OffsetOf(type, field)}; in struct {structure} at {offset}");
    }

    private static string Written(string name) =>
        string.Concat(name.Select((letter, i) => char.IsUpper(letter) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(letter) : letter.ToString()));
}
