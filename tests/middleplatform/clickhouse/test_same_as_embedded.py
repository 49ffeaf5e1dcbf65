"""What holds of the store on its embedded engine holds of it on a server: the same tests, not a copy of them."""

import numpy as np
from hypothesis import HealthCheck, given, settings

from tests.middleplatform.prometheus import test_store
from tests.middleplatform.store import test_history, test_latest, test_rollups, test_upkeep, test_writer
from tests.middleplatform.store.test_history import cases, compare

clock, parts = test_writer.clock, test_writer.parts
stage = test_upkeep.stage

test_wrong_question = test_history.test_a_wrong_question_is_refused_in_plain_words
test_too_large = test_history.test_an_answer_that_is_too_large_is_refused_and_not_cut
test_limit = test_history.test_the_limit_cuts_raw_history_at_the_end
test_rebuilt = test_latest.test_it_is_rebuilt_from_the_store_however_long_ago_a_point_spoke
test_again = test_writer.test_the_same_message_again_changes_nothing_and_the_higher_number_holds
test_unknown_ids = test_writer.test_unknown_ids_wait_in_quarantine_until_the_catalogue_has_them
test_anothers_point = test_writer.test_a_point_of_another_gateway_is_not_taken
test_impossible_time = test_writer.test_an_impossible_time_is_set_aside_for_good
test_late_samples = test_writer.test_late_samples_of_many_days_and_large_batches_all_arrive
test_event_end = test_writer.test_an_event_is_known_by_its_id_and_gets_its_end

test_retention = test_upkeep.test_each_class_is_kept_for_its_time_and_what_is_over_goes_with_its_roll_ups


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_buckets_and_raw_equal_the_reference(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=test_rollups.cases())
def test_buckets_out_of_rollups_equal_the_reference(engine, monkeypatch, case):
    test_rollups.compare(engine, monkeypatch, case)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=test_store.queries())
def test_windows_that_the_server_counts_are_what_the_samples_give(engine, monkeypatch, case):
    test_store.compare(engine, monkeypatch, case)


def test_a_check_finds_roll_ups_that_are_not_what_the_samples_say(stage):
    test_upkeep.fill(stage, [3, 5])
    good = stage.upkeep.check()
    assert all(good.column("good").to_pylist()), good.to_pylist()
    assert good.column("what").to_pylist() == ["parts", "rollups", "dirty"]
    row = stage.engine.query("SELECT * FROM rollup_1h WHERE n > 0 LIMIT 1")
    row = row.set_column(row.schema.get_field_index("max"), "max", [[77.0]])
    row = row.set_column(row.schema.get_field_index("ver"), "ver", [np.array([2**63], np.uint64)])
    stage.engine.insert("rollup_1h", row)
    bad = {line["what"]: line for line in stage.upkeep.check().to_pylist()}
    assert not bad["rollups"]["good"] and "in 1 the roll-ups differ" in bad["rollups"]["en"]
