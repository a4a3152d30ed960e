//! What the demo is asked to do, and where it finds its files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use isobath::replay::Remap;

const USAGE: &str = "\
usage: isobath_demo [--bag PATH | --scene PATH] [--seconds N] [--rate HZ] [--out FOLDER] [--remap FROM:=TO]...

Without --bag and --scene: the recording of real sensors in the repository, then a simulated warehouse.

  --bag      rosbag2 to play
  --scene    scene file to simulate and play
  --seconds  how long to measure once every output has arrived; default 10
  --rate     how often each sensor of a recording shorter than 2 s repeats, Hz; default 10
  --out      folder for depth.png, bev.png and summary.json; default demo; the warehouse's are in demo/warehouse
  --remap    topic of the bag for an input, as in image:=/camera/image_raw";

/// Topics of the recording in the repository.
const OWN_BAG: [&str; 4] = [
    "image:=/camera/image_raw",
    "camera_info:=/camera/camera_info",
    "radar_0/points:=/radar_ars548/points",
    "lidar/points:=/lidar_vlp16/points",
];

/// What is played.
#[derive(Clone, Debug)]
pub enum Source {
    /// A rosbag2
    Bag(PathBuf),
    /// A scene file, simulated first
    Scene(PathBuf),
}

/// One part of the demo.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to play
    pub source: Source,
    /// How long to measure
    pub seconds: Duration,
    /// Repetition of a short recording
    pub rate_hz: f64,
    /// Folder for the results
    pub out: PathBuf,
    /// Topics of the bag
    pub remaps: Vec<Remap>,
}

impl Options {
    /// The parts of the demo from the process's arguments; none after the help was printed.
    pub fn from_process() -> Result<Vec<Self>> {
        let mut sources = Vec::new();
        let mut options = Self {
            source: Source::Bag(PathBuf::new()),
            seconds: Duration::from_secs(10),
            rate_hz: 10.0,
            out: "demo".into(),
            remaps: Vec::new(),
        };
        let mut arguments = std::env::args_os().skip(1);
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            if name == "--help" || name == "-h" {
                println!("{USAGE}");
                return Ok(Vec::new());
            }
            if !["--bag", "--scene", "--seconds", "--rate", "--out", "--remap"].contains(&name.as_str()) {
                bail!("unknown argument '{name}'\n{USAGE}");
            }
            let value = arguments.next().with_context(|| format!("{name}: expected a value"))?;
            let text = value.to_string_lossy();
            let number = || {
                text.parse::<f64>()
                    .ok()
                    .filter(|number| (0.1..=3600.0).contains(number))
                    .with_context(|| format!("{name}: expected a number from 0.1 to 3600, found '{text}'"))
            };
            match name.as_str() {
                "--bag" => sources.push(Source::Bag(value.into())),
                "--scene" => sources.push(Source::Scene(value.into())),
                "--seconds" => options.seconds = Duration::from_secs_f64(number()?),
                "--rate" => options.rate_hz = number()?,
                "--out" => options.out = value.into(),
                _ => options.remaps.push(text.parse()?),
            }
        }
        match sources.as_slice() {
            [] => options.of_the_checkout(),
            [source] => Ok(vec![Self { source: source.clone(), ..options }]),
            _ => bail!("expected one --bag or one --scene\n{USAGE}"),
        }
    }

    /// The recording of real sensors, then the warehouse.
    fn of_the_checkout(self) -> Result<Vec<Self>> {
        let missing = "is not here: run in the checkout, or give --bag or --scene";
        let bag = checkout_file("tests/data/real_sensors")
            .with_context(|| format!("the recording of the repository {missing}"))?;
        let scene = checkout_file("config/scenes/warehouse.yaml")
            .with_context(|| format!("the scene of the repository {missing}"))?;
        let mut real = Self { source: Source::Bag(bag), ..self.clone() };
        for remap in OWN_BAG {
            real.remaps.push(remap.parse()?);
        }
        let warehouse = Self {
            source: Source::Scene(scene),
            out: self.out.join("warehouse"),
            remaps: Vec::new(),
            ..self
        };
        Ok(vec![real, warehouse])
    }

    /// What a robot's launch file sets: a DDS profile for big messages. And a domain of its own, so that
    /// the demo meets no other robot. What the user has set stays.
    pub fn set_environment() {
        let domain = (1 + std::process::id() % 100).to_string();
        let profile = checkout_file("config/fastdds.xml");
        let defaults = [
            ("ROS_DOMAIN_ID", Some(domain.into())),
            ("ROS_AUTOMATIC_DISCOVERY_RANGE", Some("LOCALHOST".into())),
            ("FASTRTPS_DEFAULT_PROFILES_FILE", profile.map(PathBuf::into_os_string)),
        ];
        for (name, value) in defaults {
            if let (None, Some(value)) = (std::env::var_os(name), value) {
                // SAFETY: called before any thread is started.
                unsafe { std::env::set_var(name, value) };
            }
        }
    }
}

/// `name` in the current folder or in the checkout this was built from.
pub fn checkout_file(name: &str) -> Option<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join(name);
    let here = std::env::current_dir().ok()?.join(name);
    [here, built_from].into_iter().find(|path| path.exists())
}
