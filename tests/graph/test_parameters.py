"""Parameters by file, command line and services."""

import subprocess

import pytest
from graph import NODES, running, wait_until
from rcl_interfaces.msg import Parameter, ParameterEvent, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters


def double(name, value):
    kind = ParameterType.PARAMETER_DOUBLE
    return Parameter(name=name, value=ParameterValue(type=kind, double_value=value))


def test_services(listener):
    listener.listen("/parameter_events", ParameterEvent)
    with running("detection", parameters=["score_threshold:=0.25"]):
        names = ["score_threshold", "use_sim_time", "model", "no_such"]
        values = listener.call(
            GetParameters, "/detection/get_parameters", GetParameters.Request(names=names)
        ).values
        assert values[0].double_value == 0.25
        assert values[1].type == ParameterType.PARAMETER_BOOL and not values[1].bool_value
        assert values[2].string_value == "detector_s"
        assert values[3].type == ParameterType.PARAMETER_NOT_SET

        listed = listener.call(ListParameters, "/detection/list_parameters", ListParameters.Request())
        assert {"score_threshold", "model", "provider", "threads"} <= set(listed.result.names)

        [descriptor] = listener.call(
            DescribeParameters,
            "/detection/describe_parameters",
            DescribeParameters.Request(names=["score_threshold"]),
        ).descriptors
        assert descriptor.floating_point_range[0].to_value == 1.0
        assert descriptor.description and not descriptor.read_only

        request = SetParameters.Request(
            parameters=[
                double("score_threshold", 0.5),
                double("score_threshold", 7.0),
                double("score_treshold", 0.5),
                double("threads", 2.0),
            ]
        )
        good, range_, unknown, kind = listener.call(
            SetParameters, "/detection/set_parameters", request
        ).results
        assert good.successful
        assert not range_.successful and "score_threshold" in range_.reason and "7" in range_.reason
        assert not unknown.successful and "'score_threshold'" in unknown.reason
        assert not kind.successful and "integer" in kind.reason

        def changes():
            events = listener.received["/parameter_events"]
            return [p.value.double_value for e in events for p in e.changed_parameters]

        wait_until(lambda: changes() == [0.5], 2.0, "event of the one change")


def test_files_with_wildcards_and_an_unknown_name(listener, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(
        "/**/detection:\n  ros__parameters:\n    marker_threshold: 0.6\n    marker_treshold: 0.1\n"
        "/**/depth:\n  ros__parameters:\n    radars: 0\n"
    )
    listener.listen_to_log()
    others = ["--params-file", str(file), "-r", "__ns:=/robot"]
    with running("detection", others=others):
        [value] = listener.call(
            GetParameters,
            "/robot/detection/get_parameters",
            GetParameters.Request(names=["marker_threshold"]),
        ).values
        assert value.double_value == 0.6

        def warned():
            return [
                log
                for log in listener.received["/rosout"]
                if "'marker_treshold'" in log.msg and "'marker_threshold'" in log.msg
            ]

        wait_until(warned, 3.0, "warning on /rosout")
        assert warned()[0].name == "robot.detection"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-p", "score_threshold:=7.0"], ["score_threshold", "0.05 to 1", "7"]),
        (["-p", "threads:=many"], ["threads", "integer", "many"]),
        (["-p", "model:=no_such_model"], ["no_such_model"]),
        (["-p", "provider:=gpu"], ["provider", "gpu", "cuda"]),
        (["-p", "provider:=tensorrt", "-p", "precision:=sparse_int8"], ["sparse_int8", "tensorrt", "cpu"]),
        # The ONNX Runtime of the set-up computes on the CPU alone; asking for more is no wish but an error.
        (["-p", "provider:=cuda"], ["model.onnx", "expected provider cuda", "with cpu alone"]),
        (["-p", "provider:=tensorrt"], ["model_int8_sym.onnx", "expected provider tensorrt", "with cpu alone"]),
        (["-r", "image"], ["image"]),
        (["--params-file", "/nowhere.yaml"], ["/nowhere.yaml"]),
        (["--no-such-flag"], ["--no-such-flag"]),
    ],
)
def test_a_wrong_argument_is_one_clear_error(arguments, expected):
    command = [str(NODES / "detection"), "--ros-args", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    for part in expected:
        assert part in lines[0], lines
    assert "panicked" not in result.stderr


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
@pytest.mark.parametrize("executable", ["depth", "perception"])
def test_a_provider_that_cannot_run_ends_the_process_with_one_error(executable, provider):
    command = [str(NODES / executable), "--ros-args", "-p", f"provider:={provider}"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{provider} runs here")
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("[ERROR]") and f"expected provider {provider}" in lines[0], lines
