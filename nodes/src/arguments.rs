//! The command line, read by rcl itself before r2r sees it: r2r panics on arguments rcl refuses and
//! offers neither the overrides with their node patterns nor topic remapping.

use std::ffi::{CString, OsString, c_char, c_int};
use std::ptr;

use r2r_rcl::{
    RCL_RET_OK, rcl_arguments_fini, rcl_arguments_get_count_unparsed, rcl_arguments_get_count_unparsed_ros,
    rcl_arguments_get_log_levels, rcl_arguments_get_param_overrides, rcl_arguments_get_unparsed,
    rcl_arguments_get_unparsed_ros, rcl_arguments_t, rcl_get_zero_initialized_arguments,
    rcl_get_zero_initialized_log_levels, rcl_log_levels_fini, rcl_parse_arguments, rcl_ret_t, rcl_variant_t,
    rcl_yaml_node_struct_fini,
};

use crate::names::NodeName;
use crate::rcl::{allocator, take_error, text};

unsafe extern "C" {
    /// `rcl/remap.h`, which r2r does not bind.
    fn rcl_remap_topic_name(
        local_arguments: *const rcl_arguments_t,
        global_arguments: *const rcl_arguments_t,
        topic_name: *const c_char,
        node_name: *const c_char,
        node_namespace: *const c_char,
        allocator: r2r_rcl::rcl_allocator_t,
        output_name: *mut *mut c_char,
    ) -> rcl_ret_t;
}

/// Why the command line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// Not text
    #[error("command line: expected UTF-8, found {0:?}")]
    Encoding(OsString),
    /// rcl refuses it: a malformed rule, a missing or malformed parameter file
    #[error("--ros-args: {0}")]
    Ros(String),
    /// Something after `--ros-args` that rcl does not know
    #[error("--ros-args: unknown argument '{0}'")]
    UnknownRos(String),
    /// Something outside `--ros-args` that the executable does not know
    #[error(
        "unknown argument '{0}': ROS arguments follow --ros-args, as in --ros-args -p radars:=1 -r image:=/camera/image_raw"
    )]
    Unknown(String),
}

/// A parameter value with the node pattern it was given for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterOverride {
    /// `/**`, `/**/depth`, `/robot/depth`, `depth`
    pub pattern: String,
    /// Parameter, with dots for nesting
    pub name: String,
    /// `None` for a kind of value no parameter of the suite has, such as a list
    pub value: Option<isobath::pipeline::Value>,
}

/// Log levels in rcutils' numbers (10 debug … 50 fatal).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLevels {
    /// For all loggers; `None` when not given
    pub default: Option<u32>,
    /// For single loggers
    pub named: Vec<(String, u32)>,
}

/// The parsed command line.
pub struct Arguments {
    raw: rcl_arguments_t,
    rest: Vec<String>,
}

impl Arguments {
    /// Parses what the process was started with.
    pub fn from_process() -> Result<Self, ArgumentError> {
        Self::parse(std::env::args_os())
    }

    /// Parses `arguments`, the first of which is the executable.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, ArgumentError> {
        let arguments: Vec<String> = arguments
            .map(|argument| argument.into_string().map_err(ArgumentError::Encoding))
            .collect::<Result<_, _>>()?;
        let owned: Vec<CString> = arguments
            .iter()
            .map(|argument| CString::new(argument.as_str()))
            .collect::<Result<_, _>>()
            .map_err(|error| ArgumentError::Ros(error.to_string()))?;
        let pointers: Vec<*const c_char> = owned.iter().map(|argument| argument.as_ptr()).collect();
        // SAFETY: the pointers and their number fit together and outlive the call; rcl copies what it
        // keeps. On success `raw` is finalised once, by `drop`.
        let mut parsed = unsafe {
            let mut raw = rcl_get_zero_initialized_arguments();
            let status =
                rcl_parse_arguments(pointers.len() as c_int, pointers.as_ptr(), allocator(), &raw mut raw);
            if status != RCL_RET_OK as rcl_ret_t {
                return Err(ArgumentError::Ros(take_error()));
            }
            Self { raw, rest: Vec::new() }
        };
        // SAFETY: `raw` is valid; both functions fill a list of the length the count names.
        let (unknown, rest) = unsafe {
            (
                indices(&parsed.raw, rcl_arguments_get_count_unparsed_ros, rcl_arguments_get_unparsed_ros),
                indices(&parsed.raw, rcl_arguments_get_count_unparsed, rcl_arguments_get_unparsed),
            )
        };
        if let Some(argument) = unknown.first().and_then(|&index| arguments.get(index)) {
            return Err(ArgumentError::UnknownRos(argument.clone()));
        }
        // The first is the executable.
        parsed.rest =
            rest.into_iter().filter(|&index| index > 0).filter_map(|i| arguments.get(i).cloned()).collect();
        Ok(parsed)
    }

    /// The arguments that are none of ROS's.
    pub fn rest(&self) -> &[String] {
        &self.rest
    }

    /// Refuses arguments that are none of ROS's.
    pub fn expect_no_rest(&self) -> Result<(), ArgumentError> {
        self.rest.first().map_or(Ok(()), |argument| Err(ArgumentError::Unknown(argument.clone())))
    }

    /// All parameter values of files and `-p`, in the order in which later ones win.
    pub fn overrides(&self) -> Result<Vec<ParameterOverride>, ArgumentError> {
        let mut overrides = Vec::new();
        // SAFETY: rcl hands out a copy of its own making, with as many names as it says; it is finalised
        // after the last use.
        unsafe {
            let mut params = ptr::null_mut();
            if rcl_arguments_get_param_overrides(&raw const self.raw, &raw mut params)
                != RCL_RET_OK as rcl_ret_t
            {
                return Err(ArgumentError::Ros(take_error()));
            }
            let Some(nodes) = params.as_ref() else { return Ok(overrides) };
            for n in 0..nodes.num_nodes {
                let pattern = text(*nodes.node_names.add(n));
                let node = &*nodes.params.add(n);
                for p in 0..node.num_params {
                    overrides.push(ParameterOverride {
                        pattern: pattern.clone(),
                        name: text(*node.parameter_names.add(p)),
                        value: value_of(&*node.parameter_values.add(p)),
                    });
                }
            }
            rcl_yaml_node_struct_fini(params);
        }
        // Exact names win over wildcards, as in rclcpp, whatever their order in the file.
        overrides.sort_by_key(|entry| !entry.pattern.contains('*'));
        Ok(overrides)
    }

    /// The levels given with `--log-level`.
    pub fn log_levels(&self) -> LogLevels {
        let mut levels = LogLevels::default();
        // SAFETY: the struct starts zeroed as rcl demands, is filled with as many settings as it says and
        // is finalised after the last use.
        unsafe {
            let mut raw = rcl_get_zero_initialized_log_levels();
            if rcl_arguments_get_log_levels(&raw const self.raw, &raw mut raw) != RCL_RET_OK as rcl_ret_t {
                let _ = take_error();
                return levels;
            }
            let default = raw.default_logger_level as u32;
            levels.default = (default != 0).then_some(default);
            for index in 0..raw.num_logger_settings {
                let setting = &*raw.logger_settings.add(index);
                levels.named.push((text(setting.name), setting.level as u32));
            }
            rcl_log_levels_fini(&raw mut raw);
        }
        levels
    }

    /// The name under which `node` finds `topic` in the graph: expanded, then remapped.
    pub fn resolve_topic(&self, topic: &str, node: &NodeName) -> Result<String, ArgumentError> {
        let expanded = node.expand(topic);
        let c_string = |text: &str| {
            CString::new(text).map_err(|_| ArgumentError::Ros(format!("'{text}' holds a zero byte")))
        };
        let (topic, name, namespace) =
            (c_string(&expanded)?, c_string(&node.name)?, c_string(&node.namespace)?);
        let mut remapped: *mut c_char = ptr::null_mut();
        // SAFETY: all strings are NUL-terminated and outlive the call; the result is null or a string of
        // the allocator that is freed here after it was copied.
        unsafe {
            let status = rcl_remap_topic_name(
                ptr::null(),
                &raw const self.raw,
                topic.as_ptr(),
                name.as_ptr(),
                namespace.as_ptr(),
                allocator(),
                &raw mut remapped,
            );
            if status != RCL_RET_OK as rcl_ret_t {
                return Err(ArgumentError::Ros(format!("topic '{expanded}': {}", take_error())));
            }
            if remapped.is_null() {
                return Ok(expanded);
            }
            let result = text(remapped);
            libc::free(remapped.cast());
            Ok(result)
        }
    }
}

impl Drop for Arguments {
    fn drop(&mut self) {
        // SAFETY: `raw` was initialised by `parse` and is not used after this.
        unsafe {
            rcl_arguments_fini(&raw mut self.raw);
        }
    }
}

/// # Safety
/// `count` and `list` are rcl's functions for the same kind of argument.
unsafe fn indices(
    raw: &rcl_arguments_t,
    count: unsafe extern "C" fn(*const rcl_arguments_t) -> c_int,
    list: unsafe extern "C" fn(
        *const rcl_arguments_t,
        r2r_rcl::rcl_allocator_t,
        *mut *mut c_int,
    ) -> rcl_ret_t,
) -> Vec<usize> {
    let mut out: *mut c_int = ptr::null_mut();
    // SAFETY: by the contract, `out` has `count` entries after a successful call; rcl's default allocator
    // is malloc.
    unsafe {
        let length = usize::try_from(count(raw)).unwrap_or(0);
        if length == 0 || list(raw, allocator(), &raw mut out) != RCL_RET_OK as rcl_ret_t || out.is_null() {
            return Vec::new();
        }
        let result =
            std::slice::from_raw_parts(out, length).iter().filter_map(|&i| usize::try_from(i).ok()).collect();
        libc::free(out.cast());
        result
    }
}

/// # Safety
/// The pointers in `variant` are null or valid.
unsafe fn value_of(variant: &rcl_variant_t) -> Option<isobath::pipeline::Value> {
    use isobath::pipeline::Value;
    // SAFETY: by the contract of this function.
    unsafe {
        if let Some(value) = variant.bool_value.as_ref() {
            Some(Value::Bool(*value))
        } else if let Some(value) = variant.integer_value.as_ref() {
            Some(Value::Integer(*value))
        } else if let Some(value) = variant.double_value.as_ref() {
            Some(Value::Double(*value))
        } else if variant.string_value.is_null() {
            None
        } else {
            Some(Value::String(text(variant.string_value)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobath::pipeline::Value;

    fn parse(arguments: &[&str]) -> Result<Arguments, ArgumentError> {
        Arguments::parse(std::iter::once("depth").chain(arguments.iter().copied()).map(OsString::from))
    }

    fn node(namespace: &str) -> NodeName {
        NodeName { name: "depth".into(), namespace: namespace.into() }
    }

    #[test]
    fn parameters_of_the_command_line() {
        let arguments =
            parse(&["--ros-args", "-p", "radars:=2", "-p", "depth:model:=depth_s", "-p", "record:=[a, b]"])
                .unwrap();
        let overrides = arguments.overrides().unwrap();
        let find = |name: &str| overrides.iter().find(|entry| entry.name == name).unwrap().clone();
        assert_eq!(find("radars").value, Some(Value::Integer(2)));
        assert_eq!(find("radars").pattern, "/**");
        assert_eq!(find("model").value, Some(Value::String("depth_s".into())));
        assert!(node("/").matches(&find("model").pattern));
        assert_eq!(find("record").value, None);
    }

    #[test]
    fn topics_are_remapped_for_one_node_and_in_namespaces() {
        let arguments = parse(&[
            "--ros-args",
            "-r",
            "image:=/camera/image_raw",
            "-r",
            "detection:lidar/points:=/velodyne_points",
        ])
        .unwrap();
        assert_eq!(arguments.resolve_topic("image", &node("/robot")).unwrap(), "/camera/image_raw");
        assert_eq!(arguments.resolve_topic("lidar/points", &node("/robot")).unwrap(), "/robot/lidar/points");
        let detection = NodeName { name: "detection".into(), namespace: "/".into() };
        assert_eq!(arguments.resolve_topic("lidar/points", &detection).unwrap(), "/velodyne_points");
    }

    #[test]
    fn log_levels() {
        let arguments =
            parse(&["--ros-args", "--log-level", "debug", "--log-level", "depth:=error"]).unwrap();
        let levels = arguments.log_levels();
        assert_eq!(levels.default, Some(10));
        assert_eq!(levels.named, [("depth".to_owned(), 40)]);
        assert_eq!(parse(&[]).unwrap().log_levels(), LogLevels::default());
    }

    #[test]
    fn bad_arguments_are_one_error_and_never_a_panic() {
        let error = |arguments: &[&str]| match parse(arguments) {
            Ok(parsed) => parsed.expect_no_rest().unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(error(&["--ros-args", "-r", "image"]).contains("image"));
        assert!(error(&["--ros-args", "--no-such"]).contains("--no-such"));
        assert!(error(&["--ros-args", "--params-file", "/nowhere.yaml"]).contains("/nowhere.yaml"));
        assert!(error(&["--verbose"]).contains("--verbose"));
    }
}
