//! The demo: a bag goes over DDS into the suite, running as it would on a robot, and what the suite
//! publishes is received, counted and drawn.

mod options;
mod pictures;
mod player;
mod scene;
mod script;
mod suite;
mod summary;
mod watcher;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::options::{Options, Source};
use self::player::Player;
use self::script::Script;
use self::suite::Suite;
use self::summary::Summary;
use self::watcher::Watcher;
use crate::node::NodeThread;

/// Longest wait for the first output: a cold start loads and checks the models.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the demo with this process's arguments.
pub fn main() -> ExitCode {
    let parts = match Options::from_process() {
        Ok(parts) => parts,
        Err(error) => {
            eprintln!("isobath_demo: {error:#}");
            return ExitCode::from(1);
        }
    };
    Options::set_environment();
    isobath::allocator::configure();
    match parts.iter().try_for_each(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("isobath_demo: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot create the folder '{}'", options.out.display()))?;
    // Kept until the end of the part: it removes the simulated recording.
    let simulated;
    let (bag, shown) = match &options.source {
        Source::Bag(bag) => (bag.clone(), bag),
        Source::Scene(scene) => {
            simulated = scene::simulate(scene)?;
            (simulated.bag(), scene)
        }
    };
    let script = Arc::new(Script::load(&bag, &options.remaps)?);
    println!("Playing {} into the suite for {:.0} s", shown.display(), options.seconds.as_secs_f64());

    let mut suite = Suite::start()?;
    let context = r2r::Context::create().context("cannot start ROS")?;
    let node = NodeThread::start(&context, "isobath_demo")?;
    let watcher = Watcher::subscribe(&node, script.expected_outputs())?;
    let player = Player::start(&node, Arc::clone(&script), options.rate_hz)?;

    let started = Instant::now();
    while !watcher.all_seen() && started.elapsed() < START_TIMEOUT {
        suite.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let first_s = started.elapsed().as_secs_f64();
    if watcher.all_seen() {
        println!("Every output has arrived {first_s:.1} s after the start; measuring");
        watcher.reset();
        player.reset();
        let measured = Instant::now();
        while measured.elapsed() < options.seconds {
            suite.check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let played = player.stop();
    let watched = watcher.finish();
    let stopped = suite.stop();
    drop(node);

    let summary = Summary::new(shown, &played, &watched);
    summary.print();
    summary.write(&options.out.join("summary.json"))?;
    for (name, picture) in [
        ("depth.png", pictures::depth(&script, &played, &watched)),
        ("bev.png", pictures::bird_eye_view(&played, &watched)),
    ] {
        if let Some(png) = picture.with_context(|| format!("cannot draw {name}"))? {
            let path = options.out.join(name);
            std::fs::write(&path, png).with_context(|| format!("cannot write '{}'", path.display()))?;
            println!("{}", path.display());
        }
    }
    stopped?;
    if !summary.missing.is_empty() {
        bail!("these outputs did not arrive: {}", summary.missing.join(", "));
    }
    Ok(())
}
