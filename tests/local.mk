# Tests, grouped by floor: each is a cmocka program that speaks TAP.

TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/tap.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_LOG_DRIVER_FLAGS = --ignore-exit
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	OPENBLAS_NUM_THREADS=1; export OPENBLAS_NUM_THREADS; \
	STARLING_NODE='$(abs_top_builddir)/starling-node'; export STARLING_NODE; \
	STARLING_SIM='$(abs_top_builddir)/starling-sim'; export STARLING_SIM; \
	STARLINGCTL='$(abs_top_builddir)/starlingctl'; export STARLINGCTL; \
	STARLING_SOURCE='$(abs_top_srcdir)'; export STARLING_SOURCE; \
	STARLING_BUILD='$(abs_top_builddir)'; export STARLING_BUILD; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS; \
	TSAN_OPTIONS='suppressions=$(abs_top_srcdir)/tests/tsan.supp'; export TSAN_OPTIONS;

test_programs = \
	tests/model/test_activation \
	tests/model/test_convolution \
	tests/model/test_dataset \
	tests/model/test_evaluation \
	tests/model/test_gru \
	tests/model/test_json \
	tests/model/test_loss \
	tests/model/test_layers \
	tests/model/test_learner \
	tests/model/test_model \
	tests/model/test_partition \
	tests/model/test_personal \
	tests/model/test_product \
	tests/model/test_quantise \
	tests/model/test_random \
	tests/model/test_read_csv \
	tests/model/test_read_idx \
	tests/model/test_read_leaf \
	tests/model/test_read_libsvm \
	tests/model/test_read_text \
	tests/model/test_sparse \
	tests/model/test_synthetic \
	tests/model/test_trend \
	tests/model/test_vector \
	tests/model/test_workspace \
	tests/gossip/test_ages \
	tests/gossip/test_encoding \
	tests/gossip/test_agreement \
	tests/gossip/test_hello \
	tests/gossip/test_membership \
	tests/gossip/test_flow \
	tests/gossip/test_merge \
	tests/gossip/test_message \
	tests/gossip/test_pieces \
	tests/gossip/test_exchange \
	tests/gossip/test_protocol \
	tests/gossip/test_view \
	tests/node/test_authority \
	tests/node/test_config \
	tests/node/test_control \
	tests/node/test_ctl \
	tests/node/test_ctl_node \
	tests/node/test_door \
	tests/node/test_identity \
	tests/node/test_participant \
	tests/node/test_roster \
	tests/node/test_slots \
	tests/node/test_store \
	tests/node/test_swarm \
	tests/node/test_task \
	tests/node/test_text \
	tests/node/test_trainer \
	tests/node/test_transport \
	tests/node/test_tuning \
	tests/node/test_wall_clock \
	tests/sim/test_bandwidth \
	tests/sim/test_checkpoint \
	tests/sim/test_churn \
	tests/sim/test_cli \
	tests/sim/test_clock \
	tests/sim/test_compare \
	tests/sim/test_conclude \
	tests/sim/test_crashes \
	tests/sim/test_describe \
	tests/sim/test_disk \
	tests/sim/test_experiments \
	tests/sim/test_fedavg \
	tests/sim/test_latency \
	tests/sim/test_interrupt \
	tests/sim/test_live_data \
	tests/sim/test_measure \
	tests/sim/test_network \
	tests/sim/test_overlay \
	tests/sim/test_past \
	tests/sim/test_people \
	tests/sim/test_people_cli \
	tests/sim/test_personal \
	tests/sim/test_pieces \
	tests/sim/test_pool \
	tests/sim/test_progress \
	tests/sim/test_report \
	tests/sim/test_results \
	tests/sim/test_resume \
	tests/sim/test_sequences \
	tests/sim/test_speed \
	tests/sim/test_splits \
	tests/sim/test_sweep \
	tests/sim/test_topology \
	tests/sim/test_trace \
	tests/sim/test_world \
	tests/live/test_live_sim \
	tests/live/test_path \
	tests/live/test_restart \
	tests/live/test_conclude \
	tests/live/test_scaling \
	tests/live/test_sequences \
	tests/live/test_strangers \
	tests/world/world

tests_model_test_activation_SOURCES = tests/model/test_activation.c tests/model/files.c tests/model/files.h
tests_model_test_activation_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_convolution_SOURCES = tests/model/test_convolution.c
tests_model_test_convolution_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_gru_SOURCES = tests/model/test_gru.c tests/model/trial.c tests/model/trial.h
tests_model_test_gru_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_layers_SOURCES = tests/model/test_layers.c tests/model/trial.c tests/model/trial.h
tests_model_test_layers_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_dataset_SOURCES = tests/model/test_dataset.c tests/model/files.c tests/model/files.h
tests_model_test_dataset_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_evaluation_SOURCES = tests/model/test_evaluation.c tests/model/files.c tests/model/files.h
tests_model_test_evaluation_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_loss_SOURCES = tests/model/test_loss.c
tests_model_test_loss_LDADD = $(MODEL_LIBS) $(TEST_LIBS)

tests_model_test_json_SOURCES = tests/model/test_json.c tests/model/files.c tests/model/files.h
tests_model_test_json_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_learner_SOURCES = tests/model/test_learner.c tests/model/files.c tests/model/files.h
tests_model_test_learner_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_model_SOURCES = tests/model/test_model.c tests/model/files.c tests/model/files.h tests/model/trial.c tests/model/trial.h
tests_model_test_model_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_partition_SOURCES = tests/model/test_partition.c tests/model/files.c tests/model/files.h
tests_model_test_partition_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_personal_SOURCES = tests/model/test_personal.c
tests_model_test_personal_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_product_SOURCES = tests/model/test_product.c tests/model/files.c tests/model/files.h
tests_model_test_product_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_quantise_SOURCES = tests/model/test_quantise.c
tests_model_test_quantise_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_random_SOURCES = tests/model/test_random.c tests/model/files.c tests/model/files.h
tests_model_test_random_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_read_csv_SOURCES = tests/model/test_read_csv.c tests/model/files.c tests/model/files.h
tests_model_test_read_csv_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_read_idx_SOURCES = tests/model/test_read_idx.c tests/model/files.c tests/model/files.h
tests_model_test_read_idx_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_read_leaf_SOURCES = tests/model/test_read_leaf.c tests/model/files.c tests/model/files.h
tests_model_test_read_leaf_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_read_libsvm_SOURCES = tests/model/test_read_libsvm.c tests/model/files.c tests/model/files.h
tests_model_test_read_libsvm_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_read_text_SOURCES = tests/model/test_read_text.c tests/model/files.c tests/model/files.h
tests_model_test_read_text_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_sparse_SOURCES = tests/model/test_sparse.c
tests_model_test_sparse_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_synthetic_SOURCES = tests/model/test_synthetic.c tests/model/files.c tests/model/files.h
tests_model_test_synthetic_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_trend_SOURCES = tests/model/test_trend.c tests/model/files.c tests/model/files.h
tests_model_test_trend_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_vector_SOURCES = tests/model/test_vector.c tests/model/files.c tests/model/files.h
tests_model_test_vector_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_model_test_workspace_SOURCES = tests/model/test_workspace.c tests/model/files.c tests/model/files.h
tests_model_test_workspace_LDADD = $(MODEL_LIBS) $(TEST_LIBS)
tests_gossip_test_ages_SOURCES = tests/gossip/test_ages.c
tests_gossip_test_ages_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_encoding_SOURCES = tests/gossip/test_encoding.c
tests_gossip_test_encoding_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_agreement_SOURCES = tests/gossip/test_agreement.c
tests_gossip_test_agreement_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_hello_SOURCES = tests/gossip/test_hello.c tests/gossip/vectors/examples.h tests/gossip/vectors/vectors.h
tests_gossip_test_hello_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_membership_SOURCES = tests/gossip/test_membership.c tests/gossip/vectors/examples.h tests/gossip/vectors/vectors.h
tests_gossip_test_membership_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_flow_SOURCES = tests/gossip/test_flow.c
tests_gossip_test_flow_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)

tests_gossip_test_merge_SOURCES = tests/gossip/test_merge.c tests/gossip/vectors/examples.h tests/gossip/vectors/vectors.h
tests_gossip_test_merge_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_message_SOURCES = tests/gossip/test_message.c tests/gossip/vectors/examples.h tests/gossip/vectors/vectors.h
tests_gossip_test_message_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_pieces_SOURCES = tests/gossip/test_pieces.c
tests_gossip_test_pieces_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_exchange_SOURCES = tests/gossip/test_exchange.c tests/gossip/conversation.h
tests_gossip_test_exchange_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_protocol_SOURCES = tests/gossip/test_protocol.c tests/gossip/conversation.h
tests_gossip_test_protocol_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_gossip_test_view_SOURCES = tests/gossip/test_view.c tests/gossip/vectors/examples.h tests/gossip/vectors/vectors.h
tests_gossip_test_view_LDADD = $(GOSSIP_LIBS) $(TEST_LIBS)
tests_node_test_authority_SOURCES = tests/node/test_authority.c tests/node/ends.h tests/node/folder.h
tests_node_test_authority_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_config_SOURCES = tests/node/test_config.c tests/node/ends.h tests/node/folder.h
tests_node_test_config_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_control_SOURCES = tests/node/test_control.c tests/node/ends.h tests/node/folder.h
tests_node_test_control_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_ctl_SOURCES = tests/node/test_ctl.c tests/node/ctl.c tests/node/ctl.h tests/node/folder.h
tests_node_test_ctl_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_ctl_node_SOURCES = tests/node/test_ctl_node.c tests/node/ctl.c tests/node/ctl.h tests/node/folder.h
tests_node_test_ctl_node_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_door_SOURCES = tests/node/test_door.c tests/node/ends.h tests/node/folder.h
tests_node_test_door_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_identity_SOURCES = tests/node/test_identity.c tests/node/ends.h tests/node/folder.h
tests_node_test_identity_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_participant_SOURCES = tests/node/test_participant.c tests/node/ends.h tests/node/folder.h
tests_node_test_participant_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_roster_SOURCES = tests/node/test_roster.c tests/node/ends.h tests/node/folder.h
tests_node_test_roster_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_slots_SOURCES = tests/node/test_slots.c tests/node/ends.h tests/node/folder.h
tests_node_test_slots_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_store_SOURCES = tests/node/test_store.c tests/node/ends.h tests/node/folder.h
tests_node_test_store_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_swarm_SOURCES = tests/node/test_swarm.c tests/node/ends.h tests/node/folder.h
tests_node_test_swarm_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_task_SOURCES = tests/node/test_task.c
tests_node_test_task_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_text_SOURCES = tests/node/test_text.c
tests_node_test_text_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_trainer_SOURCES = tests/node/test_trainer.c tests/node/ends.h tests/node/folder.h
tests_node_test_trainer_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_transport_SOURCES = tests/node/test_transport.c tests/node/ends.h tests/node/folder.h
tests_node_test_transport_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_tuning_SOURCES = tests/node/test_tuning.c
tests_node_test_tuning_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_node_test_wall_clock_SOURCES = tests/node/test_wall_clock.c tests/node/ends.h tests/node/folder.h
tests_node_test_wall_clock_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_sim_test_bandwidth_SOURCES = tests/sim/test_bandwidth.c
tests_sim_test_bandwidth_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_crashes_SOURCES = tests/sim/test_crashes.c
tests_sim_test_crashes_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_latency_SOURCES = tests/sim/test_latency.c tests/model/files.c tests/model/files.h
tests_sim_test_latency_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_speed_SOURCES = tests/sim/test_speed.c
tests_sim_test_speed_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_splits_SOURCES = tests/sim/test_splits.c
tests_sim_test_splits_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_trace_SOURCES = tests/sim/test_trace.c tests/model/files.c tests/model/files.h
tests_sim_test_trace_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_churn_SOURCES = tests/sim/test_churn.c tests/model/files.c tests/model/files.h
tests_sim_test_churn_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_cli_SOURCES = tests/sim/test_cli.c tests/sim/command.c tests/sim/command.h
tests_sim_test_cli_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_compare_SOURCES = tests/sim/test_compare.c tests/sim/command.c tests/sim/command.h
tests_sim_test_compare_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_conclude_SOURCES = tests/sim/test_conclude.c tests/sim/setting.h
tests_sim_test_conclude_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_describe_SOURCES = tests/sim/test_describe.c tests/sim/command.c tests/sim/command.h
tests_sim_test_describe_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_disk_SOURCES = tests/sim/test_disk.c tests/sim/command.c tests/sim/command.h
tests_sim_test_disk_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_experiments_SOURCES = tests/sim/test_experiments.c
tests_sim_test_experiments_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_checkpoint_SOURCES = tests/sim/test_checkpoint.c tests/sim/setting.h tests/node/folder.h
tests_sim_test_checkpoint_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_resume_SOURCES = tests/sim/test_resume.c tests/sim/command.c tests/sim/command.h
tests_sim_test_resume_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_clock_SOURCES = tests/sim/test_clock.c
tests_sim_test_clock_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_fedavg_SOURCES = tests/sim/test_fedavg.c
tests_sim_test_fedavg_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_interrupt_SOURCES = tests/sim/test_interrupt.c tests/sim/command.c tests/sim/command.h
tests_sim_test_interrupt_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_live_data_SOURCES = tests/sim/test_live_data.c
tests_sim_test_live_data_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_measure_SOURCES = tests/sim/test_measure.c tests/sim/setting.h
tests_sim_test_measure_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_network_SOURCES = tests/sim/test_network.c
tests_sim_test_network_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_overlay_SOURCES = tests/sim/test_overlay.c
tests_sim_test_overlay_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_past_SOURCES = tests/sim/test_past.c
tests_sim_test_past_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_pieces_SOURCES = tests/sim/test_pieces.c tests/sim/setting.h
tests_sim_test_pieces_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_people_SOURCES = tests/sim/test_people.c tests/sim/setting.h tests/model/files.c tests/model/files.h
tests_sim_test_people_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_people_cli_SOURCES = tests/sim/test_people_cli.c tests/sim/command.c tests/sim/command.h
tests_sim_test_people_cli_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_personal_SOURCES = tests/sim/test_personal.c
tests_sim_test_personal_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_pool_SOURCES = tests/sim/test_pool.c
tests_sim_test_pool_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_progress_SOURCES = tests/sim/test_progress.c
tests_sim_test_progress_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_report_SOURCES = tests/sim/test_report.c
tests_sim_test_report_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_results_SOURCES = tests/sim/test_results.c
tests_sim_test_results_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_sequences_SOURCES = tests/sim/test_sequences.c tests/model/files.c tests/model/files.h
tests_sim_test_sequences_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_sweep_SOURCES = tests/sim/test_sweep.c tests/sim/command.c tests/sim/command.h
tests_sim_test_sweep_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_topology_SOURCES = tests/sim/test_topology.c
tests_sim_test_topology_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_sim_test_world_SOURCES = tests/sim/test_world.c tests/sim/setting.h
tests_sim_test_world_LDADD = $(SIM_LIBS) $(TEST_LIBS)
tests_live_test_live_sim_SOURCES = tests/live/test_live_sim.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_live_sim_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_path_SOURCES = tests/live/test_path.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_path_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_restart_SOURCES = tests/live/test_restart.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_restart_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_conclude_SOURCES = tests/live/test_conclude.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_conclude_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_scaling_SOURCES = tests/live/test_scaling.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_scaling_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_sequences_SOURCES = tests/live/test_sequences.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_sequences_LDADD = $(NODE_LIBS) $(TEST_LIBS)
tests_live_test_strangers_SOURCES = tests/live/test_strangers.c tests/live/swarm.c tests/live/swarm.h
tests_live_test_strangers_LDADD = $(NODE_LIBS) $(TEST_LIBS)


# The daemon's code with stand-ins for its sockets, threads and clock: the archive's own are not
# taken where these define the same.
tests_world_world_SOURCES = \
	tests/world/data.c tests/world/data.h tests/world/device.c tests/world/device.h \
	tests/world/folder.c tests/world/folder.h tests/world/harm.c tests/world/laws.c \
	tests/world/laws.h tests/world/net.c tests/world/net.h tests/world/overlay.c \
	tests/world/plan.c tests/world/queue.c tests/world/run.c tests/world/stand.h \
	tests/world/stand_inside.h tests/world/stand_keys.c tests/world/stand_system.c \
	tests/world/stand_trainer.c tests/world/stand_transport.c \
	tests/world/stranger.c tests/world/stranger.h tests/world/world.c tests/world/world.h
tests_world_world_LDADD = $(NODE_LIBS)
tests_world_world_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime -Wl,--wrap=vector_new \
	-Wl,--wrap=vector_free

script_tests = tests/browser.sh tests/floors.sh tests/people.sh tests/purity.sh tests/soak.sh tests/valgrind.sh

if HAVE_TESTS
check_PROGRAMS += $(test_programs)
TESTS = $(test_programs) $(script_tests)
endif

# Programs that ./dev bench runs.
EXTRA_PROGRAMS = tests/bench/bench_exchange tests/bench/bench_step
tests_bench_bench_exchange_SOURCES = tests/bench/bench_exchange.c
tests_bench_bench_exchange_LDADD = $(NODE_LIBS)
tests_bench_bench_step_SOURCES = tests/bench/bench_step.c tests/bench/bench_products.c \
	tests/bench/bench_products.h
tests_bench_bench_step_LDADD = $(MODEL_LIBS)

# Where threads meet: what the thread sanitizer looks at.
tsan_tests = $(filter-out tests/sim/test_overlay tests/sim/test_resume, \
	$(filter tests/node/% tests/live/% tests/sim/%,$(test_programs)))

EXTRA_DIST += $(script_tests) tests/tap.sh tests/cppcheck.supp tests/tsan.supp tests/fuzz tests/bench \
	tests/world/soak.py tests/world/planted.py

.PHONY: check-programs
check-programs: $(check_PROGRAMS)
