"""What is counted, as Prometheus reads it."""

from jack_ray.serving.metrics import Histogram, Metrics


def test_a_histogram_counts_all_values_up_to_each_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.add(value)
    assert histogram.lines("h", "Words.") == [
        "# HELP h Words.", "# TYPE h histogram", 'h_bucket{le="0.1"} 2', 'h_bucket{le="1"} 3', 'h_bucket{le="+Inf"} 4',
        "h_sum 7.650000", "h_count 4",
    ]  # fmt: skip


def test_labels_are_escaped_and_every_number_has_its_kind() -> None:
    metrics = Metrics()
    metrics.request("200", 0.02)
    metrics.request("dropped", 3.0)
    metrics.reply("3", 4)
    metrics.received(10)
    metrics.switched()
    text = metrics.text('a"b\\c\nd', "3", 1, 2)
    assert 'jack_ray_model{model="a\\"b\\\\c\\nd",version="3"} 1\n' in text
    assert 'jack_ray_requests_total{outcome="200"} 1\njack_ray_requests_total{outcome="dropped"} 1\n' in text
    assert 'jack_ray_answers_total{version="3"} 1\n' in text
    named = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert {line.split("{")[0].split()[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            for line in text.splitlines() if not line.startswith("#")} == named  # fmt: skip
