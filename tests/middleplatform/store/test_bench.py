"""The bench of the way in: it measures what it says and loses nothing. It asserts no speed."""

from sevenones.bench import ingest, query


def test_the_bench_stores_every_sample_it_counts():
    result = ingest.run(samples=300_000)
    assert result["samples"] == 300_000 and result["missing"] == 0
    assert result["bytes_per_sample"] > 0.5 and result["rss_mb"] > 100
    assert result["samples_per_s"] > 0 and result["p50_ms"] <= result["p99_ms"] <= result["max_ms"]


def test_the_bench_of_questions_measures_each_of_its_targets():
    result = query.run(samples=100_000)
    assert result["samples"] == (8 * 416 + 2_880) * 30 and result["points"] == 8
    for name in result["targets_ms"]:
        assert 0 < result[f"{name}_p50_ms"] <= result[f"{name}_max_ms"]
    assert result["rollup_bytes_per_sample"] > 0 and result["roll_up_samples_per_cpu_s"] > 0
