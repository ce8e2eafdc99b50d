# Floor 2: how nodes talk.

noinst_LIBRARIES += libgossip.a

libgossip_a_SOURCES = \
	gossip/ages.c \
	gossip/ages.h \
	gossip/agreement.c \
	gossip/agreement.h \
	gossip/conclude.c \
	gossip/conclude.h \
	gossip/encoding.c \
	gossip/encoding.h \
	gossip/flow.c \
	gossip/flow.h \
	gossip/frozen_gossip.c \
	gossip/frozen_gossip.h \
	gossip/hello.c \
	gossip/hello.h \
	gossip/inbox.c \
	gossip/inbox.h \
	gossip/membership.c \
	gossip/membership.h \
	gossip/merge.c \
	gossip/merge.h \
	gossip/message.c \
	gossip/message.h \
	gossip/peer.h \
	gossip/protocol.c \
	gossip/protocol.h \
	gossip/sums.c \
	gossip/sums.h \
	gossip/view.c \
	gossip/view.h \
	gossip/wire.c \
	gossip/wire.h
