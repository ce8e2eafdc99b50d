# Floor 3: a device.

noinst_LIBRARIES += libnode.a
bin_PROGRAMS += starling-node starlingctl

libnode_a_SOURCES = \
	node/authority.c \
	node/authority.h \
	node/certificate.c \
	node/config.c \
	node/config.h \
	node/config_file.c \
	node/config_table.c \
	node/config_table.h \
	node/config_units.c \
	node/config_units.h \
	node/control.c \
	node/control.h \
	node/control_client.c \
	node/control_client.h \
	node/expand.c \
	node/expand.h \
	node/files.c \
	node/files.h \
	node/frozen_participant.c \
	node/frozen_participant.h \
	node/identity.c \
	node/identity.h \
	node/key_text.c \
	node/key_text.h \
	node/log.c \
	node/log.h \
	node/node.c \
	node/node.h \
	node/node_commands.c \
	node/node_conclude.c \
	node/node_inside.h \
	node/node_learning.c \
	node/node_membership.c \
	node/node_messages.c \
	node/node_notes.c \
	node/node_seek.c \
	node/participant.c \
	node/participant.h \
	node/roster.c \
	node/roster.h \
	node/settings.c \
	node/settings.h \
	node/slots.c \
	node/slots.h \
	node/sql.c \
	node/sql.h \
	node/status.c \
	node/status.h \
	node/store.c \
	node/store.h \
	node/task.c \
	node/task.h \
	node/text.c \
	node/text.h \
	node/trainer.c \
	node/trainer.h \
	node/transport.c \
	node/transport.h \
	node/transport_dial.c \
	node/transport_inside.h \
	node/transport_monitor.c \
	node/transport_router.c \
	node/transport_sweep.c \
	node/transport_zap.c \
	node/tuning.c \
	node/tuning.h \
	node/wall_clock.c \
	node/wall_clock.h \
	node/work.c \
	node/work.h

starling_node_SOURCES = node/node_main.c
starling_node_LDADD = $(NODE_LIBS)

starlingctl_SOURCES = \
	node/ctl.h \
	node/ctl_arguments.c \
	node/ctl_ask.c \
	node/ctl_format.c \
	node/ctl_format.h \
	node/ctl_main.c \
	node/ctl_node.c \
	node/ctl_query.c \
	node/ctl_swarm.c
starlingctl_LDADD = $(NODE_LIBS)
