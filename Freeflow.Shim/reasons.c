#include "routes.h"

const char *ff_reason_text(enum ff_reason reason)
{
	switch (reason) {
	case FF_REASON_NONE: return "none";
	case FF_REASON_NO_LISTENER: return "no listener under Freeflow is known there";
	case FF_REASON_NO_OWNER: return "no router has this address";
	case FF_REASON_UNREACHABLE: return "the router of this address can't be reached";
	case FF_REASON_OWN_ADDRESS: return "the container's own address";
	case FF_REASON_BUSY: return "the listener's queue is full";
	case FF_REASON_SHORT: return "connections to it have been too short to gain from it";
	case FF_REASON_CONFIGURED: return "the router's settings say so";
	case FF_REASON_POLICY: return "the policy says so";
	case FF_REASON_PRIVILEGED: return "the container has CAP_NET_ADMIN";
	case FF_REASON_SOURCE: return "the source address is not the container's";
	case FF_REASON_NO_PORTS: return "the host has no port left";
	case FF_REASON_LIMIT: return "the container has all the host sockets that it may have";
	case FF_REASON_DRAINING: return "the host's router takes nothing new";
	case FF_REASON_UNDERLAY: return "the host's network is IPv6";
	case FF_REASON_SHARED: return "the descriptor has been duplicated or inherited before connect";
	case FF_REASON_OPTION: return "it has an option that can't be carried over";
	case FF_REASON_SLOW: return "no host socket came in time";
	case FF_REASON_REFUSED: return "the other router's endpoint can't be connected to";
	case FF_REASON_NESTED: return "connect was interrupted by itself";
	}
	return "a reason of a newer router's";
}
