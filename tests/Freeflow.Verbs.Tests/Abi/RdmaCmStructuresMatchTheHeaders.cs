using System.Reflection;
using System.Runtime.CompilerServices;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Verbs.Tests.Abi;

public sealed class RdmaCmStructuresMatchTheHeaders
{
    private static readonly (Type Type, string Structure)[] s_structures =
    [
        (typeof(RdmaCmHeader), "rdma_ucm_cmd_hdr"),
        (typeof(CreateIdCommand), "rdma_ucm_create_id"),
        (typeof(CreateIdResponse), "rdma_ucm_create_id_resp"),
        (typeof(DestroyIdCommand), "rdma_ucm_destroy_id"),
        (typeof(DestroyIdResponse), "rdma_ucm_destroy_id_resp"),
        (typeof(BindIpCommand), "rdma_ucm_bind_ip"),
        (typeof(BindCommand), "rdma_ucm_bind"),
        (typeof(ResolveIpCommand), "rdma_ucm_resolve_ip"),
        (typeof(ResolveAddrCommand), "rdma_ucm_resolve_addr"),
        (typeof(ResolveRouteCommand), "rdma_ucm_resolve_route"),
        (typeof(RdmaCmQueryCommand), "rdma_ucm_query"),
        (typeof(QueryRouteResponse), "rdma_ucm_query_route_resp"),
        (typeof(QueryAddressResponse), "rdma_ucm_query_addr_resp"),
        (typeof(QueryPathResponse), "rdma_ucm_query_path_resp"),
        (typeof(ConnectionParameters), "rdma_ucm_conn_param"),
        (typeof(DatagramParameters), "rdma_ucm_ud_param"),
        (typeof(EnhancedConnection), "rdma_ucm_ece"),
        (typeof(ConnectCommand), "rdma_ucm_connect"),
        (typeof(ListenCommand), "rdma_ucm_listen"),
        (typeof(AcceptCommand), "rdma_ucm_accept"),
        (typeof(RejectCommand), "rdma_ucm_reject"),
        (typeof(DisconnectCommand), "rdma_ucm_disconnect"),
        (typeof(InitQpAttrCommand), "rdma_ucm_init_qp_attr"),
        (typeof(NotifyCommand), "rdma_ucm_notify"),
        (typeof(JoinIpMcastCommand), "rdma_ucm_join_ip_mcast"),
        (typeof(JoinMcastCommand), "rdma_ucm_join_mcast"),
        (typeof(GetEventCommand), "rdma_ucm_get_event"),
        (typeof(RdmaCmEventResponse), "rdma_ucm_event_resp"),
        (typeof(SetOptionCommand), "rdma_ucm_set_option"),
        (typeof(MigrateIdCommand), "rdma_ucm_migrate_id"),
        (typeof(MigrateIdResponse), "rdma_ucm_migrate_resp"),
        (typeof(UserPathRecord), "ib_user_path_rec"),
        (typeof(PathRecordData), "ib_path_rec_data"),
        (typeof(GlobalRoute), "ib_uverbs_global_route"),
        (typeof(AddressHandleAttributes), "ib_uverbs_ah_attr"),
        (typeof(QpAttributesResponse), "ib_uverbs_qp_attr"),
        (typeof(SocketAddressStorage), "__kernel_sockaddr_storage"),
        (typeof(SocketAddressIn6), "sockaddr_in6"),
    ];

    [Fact]
    public void InSize()
    {
        var sizes = KernelHeaders.Evaluate(s_structures.Select(pair => $"sizeof(struct {pair.Structure})"));
        foreach (var ((type, structure), size) in s_structures.Zip(sizes))
            Assert.True(SizeOf(type) == size, $"{type.Name}: {SizeOf(type)} bytes; struct {structure}: {size}");
    }

    [Fact]
    public void InOffsets()
    {
        RdmaCmEventResponse raised = default;
        AcceptCommand accept = default;
        ConnectionParameters connection = default;
        DatagramParameters datagram = default;
        QueryRouteResponse route = default;
        QueryAddressResponse address = default;
        JoinMcastCommand join = default;
        QpAttributesResponse attributes = default;
        (long Ours, string Theirs)[] offsets =
        [
            (Between(ref raised, ref raised.Param), "offsetof(struct rdma_ucm_event_resp, param)"),
            (Between(ref raised, ref raised.Ece), "offsetof(struct rdma_ucm_event_resp, ece)"),
            (Between(ref accept, ref accept.Id), "offsetof(struct rdma_ucm_accept, id)"),
            (Between(ref connection, ref connection.PrivateDataLen), "offsetof(struct rdma_ucm_conn_param, private_data_len)"),
            (Between(ref connection, ref connection.Valid), "offsetof(struct rdma_ucm_conn_param, valid)"),
            (Between(ref datagram, ref datagram.AhAttr), "offsetof(struct rdma_ucm_ud_param, ah_attr)"),
            (Between(ref datagram, ref datagram.PrivateDataLen), "offsetof(struct rdma_ucm_ud_param, private_data_len)"),
            (Between(ref route, ref route.SrcAddr), "offsetof(struct rdma_ucm_query_route_resp, src_addr)"),
            (Between(ref route, ref route.NumPaths), "offsetof(struct rdma_ucm_query_route_resp, num_paths)"),
            (Between(ref address, ref address.DstAddr), "offsetof(struct rdma_ucm_query_addr_resp, dst_addr)"),
            (Between(ref join, ref join.Addr), "offsetof(struct rdma_ucm_join_mcast, addr)"),
            (Between(ref attributes, ref attributes.MaxRdAtomic), "offsetof(struct ib_uverbs_qp_attr, max_rd_atomic)"),
            (Between(ref attributes, ref attributes.AltTimeout), "offsetof(struct ib_uverbs_qp_attr, alt_timeout)"),
        ];
        var theirs = KernelHeaders.Evaluate(offsets.Select(pair => pair.Theirs));
        foreach (var ((ours, what), offset) in offsets.Zip(theirs))
            Assert.True(ours == offset, $"{what} is {offset}, not {ours}");
    }

    [Theory]
    [InlineData((int)RdmaCmCommand.CreateId, "RDMA_USER_CM_CMD_CREATE_ID")]
    [InlineData((int)RdmaCmCommand.GetEvent, "RDMA_USER_CM_CMD_GET_EVENT")]
    [InlineData((int)RdmaCmCommand.MigrateId, "RDMA_USER_CM_CMD_MIGRATE_ID")]
    [InlineData((int)RdmaCmCommand.JoinMcast, "RDMA_USER_CM_CMD_JOIN_MCAST")]
    [InlineData((int)PortSpace.Ipoib, "RDMA_PS_IPOIB")]
    [InlineData((int)PortSpace.Ib, "RDMA_PS_IB")]
    [InlineData((int)PortSpace.Tcp, "RDMA_PS_TCP")]
    [InlineData((int)PortSpace.Udp, "RDMA_PS_UDP")]
    [InlineData((int)PathRecordData.PrimaryFlags, "IB_PATH_GMP | IB_PATH_PRIMARY | IB_PATH_BIDIRECTIONAL")]
    public void InConstants(long ours, string theirs) => Assert.Equal(KernelHeaders.Evaluate([theirs]).Single(), ours);

    private static long Between<TStructure, TField>(ref TStructure structure, ref TField field) =>
        Unsafe.ByteOffset(ref Unsafe.As<TStructure, byte>(ref structure), ref Unsafe.As<TField, byte>(ref field));

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf), BindingFlags.Public | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, null)!;
}
