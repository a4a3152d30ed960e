//! The `isobath` command. Thin: each command parses its arguments, calls a room and prints.

mod bag_progress;
mod bench;
mod compare;
mod corrupt;
mod doctor;
mod evaluate;
mod evaluate_ablation;
mod exit;
mod import;
mod inspect;
mod output;
mod radar_from_depth;
mod replay;
mod simulate;
mod steps;
mod table;
mod unpack_progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Failure, Status};

#[derive(Parser)]
#[command(name = "isobath", version, about = "Radar-anchored metric depth and LiDAR detection for robots")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check ROS, ONNX Runtime, providers, CPU and models, and say what to do
    Doctor(doctor::DoctorArguments),
    /// Show what a bag, a model folder or an ONNX file holds
    Inspect(inspect::InspectArguments),
    /// Run the pipelines over bags and record what they publish
    Replay(replay::ReplayArguments),
    /// Score what the nodes published against the truth
    Evaluate(evaluate::EvaluateArguments),
    /// Tell whether one evaluated run is worse than another
    Compare(compare::CompareArguments),
    /// Make a recording of a simulated robot with its truth, or arrays to train on
    Simulate(Box<simulate::SimulateArguments>),
    /// Degrade the sensors of a bag, to see how much that costs
    Corrupt(corrupt::CorruptArguments),
    /// Turn a public data set on this disk into a bag with truth
    Import(import::ImportArguments),
    /// Measure what models cost on this machine, stage by stage
    Bench(bench::BenchArguments),
}

/// Runs the command line of this process. Errors go to stderr as one sentence.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own code for a usage error is 2, which here means unreadable input.
            let code = u8::from(error.use_stderr());
            // Nothing can be reported when the terminal is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    exit::start_logging();
    let result = match arguments.command {
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Corrupt(arguments) => corrupt::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(status) => status.code(),
        Err(failure) => {
            eprintln!("isobath: {failure}");
            failure.code()
        }
    }
}
