"""The meter reads usage from an answer that comes in any pieces, in bounded memory."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runner.models import anthropic, gemini
from runner.models.meter import Meter
from tests.runner.models.test_proxy import ANTHROPIC_STREAM, GEMINI_STREAM

TEXT = "".join(f"event: x\r\ndata: {json.dumps(event)}\r\n\r\n" for event in ANTHROPIC_STREAM).encode()


@given(st.lists(st.integers(0, len(TEXT)), max_size=20))
def test_it_does_not_matter_where_an_answer_is_cut(cuts: list[int]) -> None:
    """Network packets know nothing of events."""
    meter = Meter(anthropic, streams=True)
    places = [0, *sorted(cuts), len(TEXT)]
    for start, end in pairwise(places):
        meter.feed(TEXT[start:end])
    meter.end()
    assert (meter.counted.input, meter.counted.cached, meter.counted.output, meter.counted.final) == (1004, 1000, 100, True)


def test_an_event_without_end_does_not_fill_the_memory() -> None:
    """It is left out, and what comes after it is read."""
    meter = Meter(anthropic, streams=True)
    meter.feed(b'data: {"usage": "')
    for _ in range(40):
        meter.feed(b"x" * 1_000_000)
    meter.feed(b'"}\n' + TEXT)
    meter.end()
    assert meter.counted.output == 100
    assert meter.output_estimate() > 1_000_000


def test_a_stream_as_one_list_is_read_too() -> None:
    """Gemini's way without `alt=sse`."""
    meter = Meter(gemini, streams=False)
    meter.feed(json.dumps(GEMINI_STREAM).encode())
    meter.end()
    assert (meter.counted.input, meter.counted.output, meter.counted.final) == (1004, 100, True)


def test_nonsense_counts_nothing() -> None:
    """And breaks nothing."""
    meter = Meter(anthropic, streams=True)
    meter.feed(b'data: usage\ndata: [[1, "usage"]]\ndata: {"usage": {"input_tokens": -1, "output_tokens": true}}\n')
    meter.end()
    assert (meter.counted.input, meter.counted.output) == (0, 0)
