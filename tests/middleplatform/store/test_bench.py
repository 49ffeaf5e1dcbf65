"""The bench of the way in: it measures what it says and loses nothing. It asserts no speed."""

import pytest

from sevenones.bench import ingest, query


def test_the_bench_stores_every_sample_it_counts():
    result = ingest.run(samples=300_000)
    assert result["samples"] == 300_000 and result["missing"] == 0
    assert result["bytes_per_sample"] > 0.5 and result["rss_mb"] > 100
    assert result["samples_per_s"] > 0 and result["p50_ms"] <= result["p99_ms"] <= result["max_ms"]


@pytest.mark.timeout(360)  # hundreds of small writes, each on the disk: on a busy machine they take a minute
def test_the_bench_of_questions_measures_each_of_its_targets(tmp_path):
    result = query.run(samples=100_000, results=tmp_path)
    assert result["samples"] == (8 * 416 + 2_880) * 30 and result["points"] == 8
    for name in result["targets_ms"]:
        assert 0 < result[f"{name}_p50_ms"] <= result[f"{name}_max_ms"]
    assert result["rollup_bytes_per_sample"] > 0 and result["roll_up_samples_per_cpu_s"] > 0
    assert query.run(samples=100_000, results=tmp_path) == result, "what was measured is not measured again"
