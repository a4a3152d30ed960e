//! What the facts mean for somebody who wants to run the suite. Pure.

use serde::Serialize;

use super::facts::{Facts, ProfileFacts};
use super::model_findings;
use super::models::Outcome;
use crate::inference::Provider;

const MIB: u64 = 1 << 20;

/// Holds several images and clouds; with 64 MiB none of 200 was lost where the default lost nearly all.
pub(super) const SEGMENT_NEEDED: u64 = 64 * MIB;

/// A segment for each of some eight processes: two nodes, drivers, a recorder, a viewer.
pub(super) const SHARED_MEMORY_NEEDED: u64 = 512 * MIB;

/// Two more segments, for the suite's own nodes.
pub(super) const SHARED_MEMORY_FREE_NEEDED: u64 = 2 * SEGMENT_NEEDED;

/// About three 720p images: a message is lost with any of its fragments.
pub(super) const RECEIVE_BUFFER_NEEDED: u64 = 8 * MIB;

/// ONNX Runtime and a handful of engines.
pub(super) const CACHE_FREE_NEEDED: u64 = 1024 * MIB;

/// Distributions that the suite is made for.
const SUPPORTED: [&str; 3] = ["humble", "jazzy", "lyrical"];

/// Those whose client library builds, but that nobody tries.
const UNTESTED: [&str; 2] = ["iron", "rolling"];

/// What ROS 2 takes when `RMW_IMPLEMENTATION` is not set.
const DEFAULT_MIDDLEWARE: &str = "rmw_fastrtps_cpp";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Something works worse, or not at all, that not everybody needs.
    Warning,
    /// What was set up cannot work.
    Error,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub subject: &'static str,
    /// What was found and what it does to the user.
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(subject: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, subject, text: text.into(), advice: None }
    }

    pub(super) fn warning(subject: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, subject, text: text.into(), advice: Some(advice.into()) }
    }

    pub(super) fn error(subject: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Error, subject, text: text.into(), advice: Some(advice.into()) }
    }
}

/// All findings, in the order a message takes: middleware, library, processor, models.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![ros(facts)];
    if !facts.ros.prefixes.is_empty() {
        let (finding, middleware) = middleware(facts);
        findings.push(finding);
        if middleware.contains("fastrtps") {
            findings.push(fast_dds_profile(facts));
            findings.push(shared_memory(facts));
        } else if middleware.contains("cyclonedds") || middleware.contains("connext") {
            findings.push(receive_buffer(facts, middleware));
        }
    }
    findings.push(library(facts));
    if facts.onnxruntime.library.is_some() {
        findings.push(providers(facts));
    }
    findings.push(cpu(facts));
    if facts.models.is_empty() {
        findings.push(Finding::error(
            "models",
            "no model folder was found",
            "set ISOBATH_MODEL_PATH to the folder that holds the model folders",
        ));
    }
    findings.extend(facts.models.iter().map(|model| model_findings::judge(model, &facts.cpu)));
    findings.push(cache(facts));
    findings
}

fn ros(facts: &Facts) -> Finding {
    const SUBJECT: &str = "ROS 2";
    let Some(name) = facts.ros.distribution.as_deref() else {
        if facts.ros.prefixes.is_empty() {
            return Finding::warning(
                SUBJECT,
                "none is sourced: replay works; live nodes need a sourced ROS 2",
                "source /opt/ros/<distribution>/setup.bash, or run `cargo xtask setup` in the checkout",
            );
        }
        return Finding::warning(
            SUBJECT,
            "AMENT_PREFIX_PATH is set but ROS_DISTRO is not: which ROS 2 this is stays unknown",
            "source the setup.bash of the distribution",
        );
    };
    let supported = SUPPORTED.join(", ");
    if facts.ros.prefixes.is_empty() {
        Finding::warning(
            SUBJECT,
            format!("ROS_DISTRO says {name}, but AMENT_PREFIX_PATH is empty: live nodes will not start"),
            format!("source /opt/ros/{name}/setup.bash"),
        )
    } else if SUPPORTED.contains(&name) {
        Finding::ok(SUBJECT, format!("{name}, {} prefixes", facts.ros.prefixes.len()))
    } else if UNTESTED.contains(&name) {
        Finding::warning(
            SUBJECT,
            format!("{name} should work, but is not tested"),
            format!("prefer one of {supported}"),
        )
    } else {
        Finding::error(
            SUBJECT,
            format!("{name} is not supported: the nodes do not build on it (expected {supported})"),
            format!("source one of {supported}; replay needs no ROS"),
        )
    }
}

/// The finding, and the middleware that nodes will take.
fn middleware(facts: &Facts) -> (Finding, &str) {
    const SUBJECT: &str = "middleware";
    let installed = &facts.ros.middlewares_installed;
    let is_installed = |name: &str| installed.iter().any(|found| found == name);
    let name = match facts.ros.middleware.as_deref() {
        Some(asked) => asked,
        None if is_installed(DEFAULT_MIDDLEWARE) => DEFAULT_MIDDLEWARE,
        None => installed.first().map_or(DEFAULT_MIDDLEWARE, String::as_str),
    };
    let finding = if !is_installed(name) {
        let found = if installed.is_empty() { "none".to_owned() } else { installed.join(", ") };
        Finding::error(
            SUBJECT,
            format!("expected lib{name}.so in a prefix of AMENT_PREFIX_PATH, found {found}"),
            format!("install {} or set RMW_IMPLEMENTATION to one that is there", name.replace('_', "-")),
        )
    } else if name.contains("zenoh") {
        let text = format!("{name}: nodes find each other only while its router runs");
        Finding { advice: Some("ros2 run rmw_zenoh_cpp rmw_zenohd".to_owned()), ..Finding::ok(SUBJECT, text) }
    } else {
        Finding::ok(SUBJECT, name)
    };
    (finding, name)
}

/// Fast DDS 2 reads one variable, Fast DDS 3 the other.
fn profile_variable(distribution: Option<&str>) -> &'static str {
    match distribution {
        Some("kilted" | "lyrical" | "rolling") => "FASTDDS_DEFAULT_PROFILES_FILE",
        _ => "FASTRTPS_DEFAULT_PROFILES_FILE",
    }
}

fn fast_dds_profile(facts: &Facts) -> Finding {
    const SUBJECT: &str = "Fast DDS profile";
    let variable = profile_variable(facts.ros.distribution.as_deref());
    let profile = facts.transport.profiles.iter().find(|profile| profile.variable == variable);
    let found = match profile {
        Some(ProfileFacts { segment_size: Some(size), path, .. }) if *size >= SEGMENT_NEEDED => {
            let text = format!("{}: shared-memory segment of {}", path.display(), size_text(*size));
            return Finding::ok(SUBJECT, text);
        }
        Some(ProfileFacts { is_readable: false, path, .. }) => {
            format!("{variable} names {}, which cannot be read", path.display())
        }
        Some(ProfileFacts { segment_size: Some(size), path, .. }) => {
            format!("{}: shared-memory segment of only {}", path.display(), size_text(*size))
        }
        Some(ProfileFacts { path, .. }) => {
            format!("{}: no participant gets a shared-memory segment_size", path.display())
        }
        None => format!("{variable} is not set"),
    };
    let shipped = facts
        .transport
        .shipped_profile
        .as_ref()
        .map_or("<share>/isobath/config/fastdds.xml".to_owned(), |path| path.display().to_string());
    Finding::warning(
        SUBJECT,
        format!(
            "{found}: best-effort images and clouds larger than about 0.5 MB arrive rarely or never between \
             processes"
        ),
        format!(
            "the launch files of this package set a profile; for every other node, camera drivers too: \
             export {variable}={shipped}"
        ),
    )
}

fn shared_memory(facts: &Facts) -> Finding {
    const SUBJECT: &str = "shared memory";
    match facts.transport.shared_memory {
        None => Finding::warning(
            SUBJECT,
            "/dev/shm is missing: Fast DDS falls back to UDP, and big images are lost",
            "mount a tmpfs on /dev/shm",
        ),
        Some(space) if space.size < SHARED_MEMORY_NEEDED => Finding::warning(
            SUBJECT,
            format!(
                "/dev/shm holds {}, expected {} or more: a process that gets no segment falls back to UDP",
                size_text(space.size),
                size_text(SHARED_MEMORY_NEEDED)
            ),
            "start the container with --ipc=host or --shm-size=1g, or remount /dev/shm with a bigger size",
        ),
        Some(space) if space.free < SHARED_MEMORY_FREE_NEEDED => Finding::warning(
            SUBJECT,
            format!(
                "/dev/shm has {} left, expected {} or more",
                size_text(space.free),
                size_text(SHARED_MEMORY_FREE_NEEDED)
            ),
            "with all nodes stopped, `fastdds shm clean` removes what crashed processes left",
        ),
        Some(space) => Finding::ok(
            SUBJECT,
            format!("/dev/shm: {} of {} free", size_text(space.free), size_text(space.size)),
        ),
    }
}

fn receive_buffer(facts: &Facts, middleware: &str) -> Finding {
    const SUBJECT: &str = "receive buffer";
    match facts.transport.receive_buffer_max {
        Some(bytes) if bytes >= RECEIVE_BUFFER_NEEDED => {
            Finding::ok(SUBJECT, format!("net.core.rmem_max is {}", size_text(bytes)))
        }
        Some(bytes) => Finding::warning(
            SUBJECT,
            format!(
                "net.core.rmem_max is {}, expected {} or more: {middleware} loses fragments of images and \
                 clouds, and with one fragment the whole message",
                size_text(bytes),
                size_text(RECEIVE_BUFFER_NEEDED)
            ),
            "sudo sysctl -w net.core.rmem_max=2147483647, and let the middleware's configuration ask for \
             10 MB or more",
        ),
        None => Finding::warning(
            SUBJECT,
            "net.core.rmem_max cannot be read, so that nobody can tell whether big messages fit",
            format!("on the host, see that it is {} or more", size_text(RECEIVE_BUFFER_NEEDED)),
        ),
    }
}

fn library(facts: &Facts) -> Finding {
    const SUBJECT: &str = "ONNX Runtime";
    match &facts.onnxruntime.library {
        Some(library) => Finding::ok(SUBJECT, format!("{} in {}", library.version, library.path.display())),
        None => Finding::error(
            SUBJECT,
            facts.onnxruntime.error.as_deref().unwrap_or("no usable library"),
            "run `cargo xtask setup` in the checkout, or set ISOBATH_ORT_LIBRARY to a libonnxruntime.so",
        ),
    }
}

fn providers(facts: &Facts) -> Finding {
    const SUBJECT: &str = "providers";
    let runtime = &facts.onnxruntime;
    if let Some(error) = &runtime.error {
        return Finding::error(SUBJECT, error.as_str(), "install another ONNX Runtime library");
    }
    let names: Vec<&str> = runtime.providers.iter().map(|provider| provider.as_str()).collect();
    let names = names.join(", ");
    if facts.has_nvidia_gpu && !runtime.providers.contains(&Provider::Cuda) {
        return Finding::warning(
            SUBJECT,
            format!("{names}: there is an NVIDIA GPU, but this library was built without CUDA"),
            "set ISOBATH_ORT_LIBRARY to a GPU build of ONNX Runtime (on a Jetson, the one for its JetPack)",
        );
    }
    let mut text = format!("built with {names}");
    for (what, providers) in tried(facts) {
        if !providers.is_empty() {
            text = format!("{text}; {what} {}", providers.join(", "));
        }
    }
    Finding::ok(SUBJECT, text)
}

/// The library's providers by what the models showed: a provider that is built in need not run.
fn tried(facts: &Facts) -> [(&'static str, Vec<&'static str>); 3] {
    let mut groups =
        [("models run on", Vec::new()), ("they fail on", Vec::new()), ("not tried:", Vec::new())];
    for provider in &facts.onnxruntime.providers {
        let name = provider.as_str();
        let outcomes = || {
            let files = facts.models.iter().flat_map(|model| &model.files);
            files.filter(|file| file.provider == name).map(|file| &file.outcome)
        };
        let group = if outcomes().any(|outcome| matches!(outcome, Outcome::Passed { .. })) {
            0
        } else if outcomes().any(|outcome| matches!(outcome, Outcome::Failed(_))) {
            1
        } else {
            2
        };
        if let Some((_, providers)) = groups.get_mut(group) {
            providers.push(name);
        }
    }
    groups
}

fn cpu(facts: &Facts) -> Finding {
    const SUBJECT: &str = "CPU";
    let cpu = &facts.cpu;
    let has = |name| cpu.features.contains(&name);
    let features = if cpu.features.is_empty() { "none".to_owned() } else { cpu.features.join(" ") };
    let text = format!(
        "{}, {} cores, features: {features}; sparse networks run on {} in f32 and on {} in int8",
        cpu.architecture, cpu.cores, cpu.sparse_f32, cpu.sparse_int8
    );
    match cpu.architecture {
        "x86_64" if !has("avx2") => Finding::warning(
            SUBJECT,
            format!("{text}: without AVX2 the models run several times slower"),
            "use a newer processor, or a virtual machine that passes the host's features on",
        ),
        "x86_64" if !has("avx512vnni") && !has("avxvnni") => {
            Finding::ok(SUBJECT, format!("{text} (no VNNI: int8 gains less over fp32 here)"))
        }
        "aarch64" if !has("dotprod") => Finding::warning(
            SUBJECT,
            format!("{text}: without dotprod int8 may be slower than fp32"),
            "compare both with `isobath bench`, and set the parameter precision",
        ),
        "x86_64" | "aarch64" => Finding::ok(SUBJECT, text),
        _ => Finding::warning(
            SUBJECT,
            format!("{text}: expected x86_64 or aarch64"),
            "see with `isobath bench` whether it is fast enough",
        ),
    }
}

fn cache(facts: &Facts) -> Finding {
    const SUBJECT: &str = "cache";
    match (&facts.cache.path, facts.cache.space) {
        (Some(path), Some(space)) if space.free < CACHE_FREE_NEEDED => Finding::warning(
            SUBJECT,
            format!("{}: {} left, expected 1 GiB or more", path.display(), size_text(space.free)),
            "make room, or set XDG_CACHE_HOME to another disk",
        ),
        (Some(path), _) => Finding::ok(SUBJECT, path.display().to_string()),
        (None, _) => Finding::warning(
            SUBJECT,
            "neither XDG_CACHE_HOME nor HOME is set: nothing can be kept between runs",
            "set XDG_CACHE_HOME",
        ),
    }
}

fn size_text(bytes: u64) -> String {
    if bytes >= 1024 * MIB {
        format!("{:.1} GiB", bytes as f64 / (1024 * MIB) as f64)
    } else if bytes >= MIB {
        format!("{:.0} MiB", bytes as f64 / MIB as f64)
    } else {
        format!("{} KiB", bytes / 1024)
    }
}
