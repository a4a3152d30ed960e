//! Each rule: one fact changed, one finding changed.

use std::path::PathBuf;

use super::facts::{
    CacheFacts, CpuFacts, Facts, ProfileFacts, RosFacts, RuntimeFacts, SpaceFacts, TransportFacts,
};
use super::findings::{
    CACHE_FREE_NEEDED, Finding, Level, RECEIVE_BUFFER_NEEDED, SEGMENT_NEEDED, SHARED_MEMORY_FREE_NEEDED,
    SHARED_MEMORY_NEEDED, judge,
};
use super::models::{FileFacts, ModelFacts, Outcome};
use crate::inference::{LibraryInfo, Precision, Provider};

/// A robot where nothing is wrong.
fn healthy() -> Facts {
    let space = SpaceFacts { size: 8 << 30, free: 4 << 30 };
    Facts {
        isobath: "0.1.0",
        ros: RosFacts {
            distribution: Some("jazzy".to_owned()),
            prefixes: vec![PathBuf::from("/opt/ros/jazzy")],
            middleware: None,
            middlewares_installed: vec!["rmw_cyclonedds_cpp".to_owned(), "rmw_fastrtps_cpp".to_owned()],
        },
        transport: TransportFacts {
            profiles: vec![profile("FASTRTPS_DEFAULT_PROFILES_FILE", Some(SEGMENT_NEEDED))],
            shipped_profile: Some(PathBuf::from("/opt/isobath/config/fastdds.xml")),
            shared_memory: Some(space),
            receive_buffer_max: Some(RECEIVE_BUFFER_NEEDED),
        },
        onnxruntime: RuntimeFacts {
            library: Some(LibraryInfo {
                path: PathBuf::from("/lib/libonnxruntime.so"),
                version: "1.32.0".to_owned(),
            }),
            providers: vec![Provider::Cpu],
            error: None,
        },
        cpu: CpuFacts {
            name: "a CPU".to_owned(),
            architecture: "x86_64",
            cores: 4,
            features: vec!["avx2", "avx512vnni"],
            sparse_f32: "avx2",
            sparse_int8: "avx512vnni",
        },
        has_nvidia_gpu: false,
        models: vec![model(Outcome::Passed { load_ms: 12 }, Provider::Cpu)],
        cache: CacheFacts { path: Some(PathBuf::from("/home/robot/.cache/isobath")), space: Some(space) },
    }
}

fn profile(variable: &'static str, segment_size: Option<u64>) -> ProfileFacts {
    ProfileFacts { variable, path: PathBuf::from("/etc/dds.xml"), is_readable: true, segment_size }
}

fn model(outcome: Outcome, provider: Provider) -> ModelFacts {
    let file = FileFacts { precision: "fp32", provider: provider.as_str(), outcome };
    ModelFacts {
        name: "depth_baseline".to_owned(),
        path: PathBuf::from("/models/depth_baseline"),
        error: None,
        files: vec![file],
        auto: Some(Precision::Fp32),
    }
}

/// What a healthy robot says after `change`, without what is fine.
fn complaints(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
    let mut facts = healthy();
    change(&mut facts);
    judge(&facts).into_iter().filter(|finding| finding.level != Level::Ok).collect()
}

/// The one complaint after `change`: its level is `level`, its subject `subject`; text and advice.
fn complaint(level: Level, subject: &str, change: impl FnOnce(&mut Facts)) -> (String, String) {
    let found = complaints(change);
    let [finding] = found.as_slice() else { panic!("expected one complaint, found {found:#?}") };
    assert_eq!((finding.level, finding.subject), (level, subject), "{finding:?}");
    (finding.text.clone(), finding.advice.clone().expect("a complaint says what to do"))
}

#[test]
fn a_healthy_robot_has_no_complaint() {
    assert_eq!(complaints(|_| {}), []);
}

#[test]
fn built_in_and_running_are_told_apart() {
    let mut facts = healthy();
    facts.onnxruntime.providers = Provider::ALL.to_vec();
    facts.has_nvidia_gpu = true;
    facts.models.push(model(Outcome::Failed("no device".to_owned()), Provider::Cuda));
    facts.models.push(model(Outcome::NotMeant, Provider::TensorRt));
    let findings = judge(&facts);
    let finding = findings.iter().find(|finding| finding.subject == "providers").unwrap();
    let expected =
        "built with cpu, cuda, tensorrt; models run on cpu; they fail on cuda; not tried: tensorrt";
    assert_eq!(finding.text, expected);
}

#[test]
fn what_a_model_runs_as_is_told_with_the_reason() {
    let text = |precisions: &[Precision], auto: Precision| {
        let mut facts = healthy();
        let passed = |precision: &Precision| FileFacts {
            precision: precision.as_str(),
            provider: Provider::Cpu.as_str(),
            outcome: Outcome::Passed { load_ms: 12 },
        };
        facts.models[0].files = precisions.iter().map(passed).collect();
        facts.models[0].auto = Some(auto);
        let findings = judge(&facts);
        findings.into_iter().find(|finding| finding.subject == "model").unwrap().text
    };
    let (int8, sparse_int8, sparse_fp32, fp32) =
        (Precision::Int8, Precision::SparseInt8, Precision::SparseFp32, Precision::Fp32);
    let found = text(&[fp32, sparse_fp32, int8, sparse_int8], sparse_int8);
    assert!(found.contains("auto runs sparse_int8") && found.contains("avx512vnni kernels"), "{found}");
    let found = text(&[fp32, sparse_fp32], sparse_fp32);
    assert!(found.contains("auto runs sparse_fp32") && found.contains("by the avx2 kernels"), "{found}");
    assert!(found.ends_with("it has no 8-bit file"), "{found}");
    assert!(
        text(&[fp32, int8], int8)
            .ends_with("auto runs int8 on the CPU: 8-bit integers, by ONNX Runtime, are faster than floats")
    );
    assert!(text(&[fp32], fp32).ends_with("auto runs fp32 on the CPU: it has no 8-bit file"));
}

#[test]
fn without_ros_replay_still_works() {
    let (text, advice) = complaint(Level::Warning, "ROS 2", |facts| facts.ros = RosFacts::default());
    assert!(text.contains("replay works"), "{text}");
    assert!(advice.contains("cargo xtask setup"), "{advice}");
}

#[test]
fn half_sourced_environments_are_noticed() {
    let (text, _) = complaint(Level::Warning, "ROS 2", |facts| facts.ros.prefixes.clear());
    assert!(text.contains("AMENT_PREFIX_PATH is empty"), "{text}");
    let (text, _) = complaint(Level::Warning, "ROS 2", |facts| facts.ros.distribution = None);
    assert!(text.contains("ROS_DISTRO is not"), "{text}");
}

#[test]
fn distributions_are_judged_by_name() {
    let named = |name: &str| {
        let name = name.to_owned();
        move |facts: &mut Facts| {
            facts.ros.distribution = Some(name);
            facts.transport.profiles.push(profile("FASTDDS_DEFAULT_PROFILES_FILE", Some(SEGMENT_NEEDED)));
        }
    };
    for name in ["humble", "jazzy", "lyrical"] {
        assert_eq!(complaints(named(name)), [], "{name}");
    }
    for name in ["iron", "rolling"] {
        complaint(Level::Warning, "ROS 2", named(name));
    }
    for name in ["kilted", "noetic", "nonsense"] {
        let (text, _) = complaint(Level::Error, "ROS 2", named(name));
        assert!(text.contains(name) && text.contains("humble, jazzy, lyrical"), "{text}");
    }
}

#[test]
fn a_middleware_that_is_not_installed_is_an_error() {
    let (text, advice) = complaint(Level::Error, "middleware", |facts| {
        facts.ros.middleware = Some("rmw_connextdds".to_owned());
    });
    assert!(text.contains("librmw_connextdds.so") && text.contains("rmw_cyclonedds_cpp"), "{text}");
    assert!(advice.contains("rmw-connextdds"), "{advice}");
    complaint(Level::Error, "middleware", |facts| facts.ros.middlewares_installed.clear());
}

#[test]
fn fast_dds_without_a_big_segment_loses_images() {
    let cases: [(&str, Vec<ProfileFacts>); 4] = [
        ("is not set", vec![]),
        ("only 1 MiB", vec![profile("FASTRTPS_DEFAULT_PROFILES_FILE", Some(1 << 20))]),
        ("no participant", vec![profile("FASTRTPS_DEFAULT_PROFILES_FILE", None)]),
        (
            "cannot be read",
            vec![ProfileFacts { is_readable: false, ..profile("FASTRTPS_DEFAULT_PROFILES_FILE", None) }],
        ),
    ];
    for (reason, profiles) in cases {
        let (text, advice) =
            complaint(Level::Warning, "Fast DDS profile", |facts| facts.transport.profiles = profiles);
        assert!(text.contains(reason) && text.contains("arrive rarely or never"), "{text}");
        assert!(
            advice.ends_with("export FASTRTPS_DEFAULT_PROFILES_FILE=/opt/isobath/config/fastdds.xml"),
            "{advice}"
        );
    }
}

#[test]
fn fast_dds_3_reads_the_other_variable() {
    let (text, advice) = complaint(Level::Warning, "Fast DDS profile", |facts| {
        facts.ros.distribution = Some("lyrical".to_owned());
    });
    assert!(text.contains("FASTDDS_DEFAULT_PROFILES_FILE is not set"), "{text}");
    assert!(advice.contains("export FASTDDS_DEFAULT_PROFILES_FILE="), "{advice}");
}

#[test]
fn small_or_full_shared_memory_is_noticed() {
    let with =
        |size, free| move |facts: &mut Facts| facts.transport.shared_memory = Some(SpaceFacts { size, free });
    let (text, advice) = complaint(Level::Warning, "shared memory", with(64 << 20, 64 << 20));
    assert!(text.contains("holds 64 MiB, expected 512 MiB"), "{text}");
    assert!(advice.contains("--ipc=host"), "{advice}");
    complaint(Level::Warning, "shared memory", with(SHARED_MEMORY_NEEDED - 1, SHARED_MEMORY_NEEDED - 1));
    let (text, _) =
        complaint(Level::Warning, "shared memory", with(SHARED_MEMORY_NEEDED, SHARED_MEMORY_FREE_NEEDED - 1));
    assert!(text.contains("left"), "{text}");
    assert_eq!(complaints(with(SHARED_MEMORY_NEEDED, SHARED_MEMORY_FREE_NEEDED)), []);
    complaint(Level::Warning, "shared memory", |facts| facts.transport.shared_memory = None);
}

#[test]
fn other_middlewares_need_receive_buffers_not_profiles() {
    let with = |bytes| {
        move |facts: &mut Facts| {
            facts.ros.middleware = Some("rmw_cyclonedds_cpp".to_owned());
            facts.transport = TransportFacts { receive_buffer_max: bytes, ..TransportFacts::default() };
        }
    };
    let (text, advice) = complaint(Level::Warning, "receive buffer", with(Some(212_992)));
    assert!(text.contains("208 KiB") && text.contains("rmw_cyclonedds_cpp"), "{text}");
    assert!(advice.contains("sysctl"), "{advice}");
    complaint(Level::Warning, "receive buffer", with(None));
    assert_eq!(complaints(with(Some(RECEIVE_BUFFER_NEEDED))), []);
}

#[test]
fn a_missing_library_is_an_error_and_leaves_models_untried() {
    let found = complaints(|facts| {
        facts.onnxruntime =
            RuntimeFacts { error: Some("looked everywhere".to_owned()), ..RuntimeFacts::default() };
        for model in &mut facts.models {
            model.files.clear();
        }
    });
    let kinds: Vec<_> = found.iter().map(|finding| (finding.level, finding.subject)).collect();
    assert_eq!(kinds, [(Level::Error, "ONNX Runtime"), (Level::Warning, "model")]);
    assert!(found[0].text.contains("looked everywhere"));
}

#[test]
fn a_gpu_without_cuda_in_the_library_is_noticed() {
    let (_, advice) = complaint(Level::Warning, "providers", |facts| facts.has_nvidia_gpu = true);
    assert!(advice.contains("ISOBATH_ORT_LIBRARY"), "{advice}");
    let built_for_gpu = |facts: &mut Facts| {
        facts.has_nvidia_gpu = true;
        facts.onnxruntime.providers.push(Provider::Cuda);
    };
    assert_eq!(complaints(built_for_gpu), []);
}

#[test]
fn processors_are_judged_by_their_integer_instructions() {
    let with = |architecture, features: &[&'static str]| {
        let features = features.to_vec();
        move |facts: &mut Facts| {
            facts.cpu = CpuFacts { architecture, cores: 6, features, ..CpuFacts::default() }
        }
    };
    complaint(Level::Warning, "CPU", with("x86_64", &[]));
    assert_eq!(complaints(with("x86_64", &["avx2"])), []);
    complaint(Level::Warning, "CPU", with("aarch64", &["neon"]));
    assert_eq!(complaints(with("aarch64", &["neon", "dotprod"])), []);
    complaint(Level::Warning, "CPU", with("riscv64", &[]));
}

#[test]
fn models_are_judged_by_where_they_fail() {
    let with = |model| move |facts: &mut Facts| facts.models = vec![model];
    let failed = |provider| model(Outcome::Failed("golden output differs".to_owned()), provider);
    let (text, _) = complaint(Level::Error, "model", with(failed(Provider::Cpu)));
    assert!(text.contains("depth_baseline: fp32 on cpu: golden output differs"), "{text}");
    let (text, advice) = complaint(Level::Warning, "model", with(failed(Provider::Cuda)));
    assert!(text.contains("on cuda") && advice.contains("provider: cpu"), "{text} {advice}");
    complaint(Level::Warning, "model", with(model(Outcome::NotMeant, Provider::Cpu)));
    let broken = ModelFacts { error: Some("kind: unknown".to_owned()), ..failed(Provider::Cpu) };
    let (text, _) = complaint(Level::Error, "model", with(broken));
    assert!(text.contains("kind: unknown"), "{text}");
    complaint(Level::Error, "models", |facts| facts.models.clear());
}

#[test]
fn a_full_or_missing_cache_is_noticed() {
    complaint(Level::Warning, "cache", |facts| {
        facts.cache.space = Some(SpaceFacts { size: 1 << 40, free: CACHE_FREE_NEEDED - 1 });
    });
    complaint(Level::Warning, "cache", |facts| facts.cache = CacheFacts::default());
}
