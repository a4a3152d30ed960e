"""Nodes end within a second of a signal, with exit code 0, and leave the graph."""

import signal

import pytest
from graph import running, wait_until


@pytest.mark.parametrize("executable", ["depth", "detection", "perception"])
@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_and_the_nodes(listener, executable, with_signal):
    names = {"/depth", "/detection"} if executable == "perception" else {f"/{executable}"}
    with running(executable) as process:
        wait_until(lambda: names <= listener.nodes(), 10.0, f"{names} in the graph")
        seconds, code = process.stop(with_signal)
        assert code == 0, process.output
        assert seconds < 1.0
        wait_until(lambda: not names & listener.nodes(), 1.0, f"graph without {names}")


def test_a_signal_while_the_model_loads(listener):
    with running("perception", ready=0) as process:
        wait_until(lambda: "/depth" in listener.nodes(), 10.0, "/depth in the graph")
        seconds, code = process.stop()
        assert (code, seconds < 1.0) == (0, True), process.output


def test_the_farewell_reaches_rosout(listener):
    listener.listen_to_log()
    with running("depth") as process:
        wait_until(lambda: any("ready" in log.msg for log in listener.received["/rosout"]), 5.0, "log")
        process.stop()
        wait_until(
            lambda: any("shutting down" in log.msg for log in listener.received["/rosout"]), 1.0, "farewell"
        )
