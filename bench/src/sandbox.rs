//! The sandbox: tiny jobs a second, and what compiling costs.

use crate::{report::Report, usage::percentile};
use ::sandbox::{Ended, Engine, EngineConfig, Job};
use anyhow::{Result, bail};
use std::{
    fmt::Write as _,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};
use types::{Abi, Fuel, Limits, Millis};

/// What `bench sandbox` is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct SandboxLoad {
    /// Threads that run jobs; each counts as a core.
    pub threads: usize,
    /// How long tiny jobs run, in seconds; the compilation that is timed comes on top.
    pub seconds: usize,
    /// Functions in the module whose compilation is timed.
    pub functions: usize,
}

/// A job that does next to nothing, as whole as any: an instance of its own with memory, input and output.
const TINY: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "run") (param $at i32) (param $len i32) (result i32)
        (i32.store (i32.const 1020) (local.get $len))
        (i32.const 1020)))"#;

const LIMITS: Limits = Limits {
    fuel: Fuel::new(1_000_000_000),
    memory_bytes: 1 << 20,
    output_bytes: 1 << 20,
    wall: Millis::new(10_000),
};

/// Run tiny jobs on every thread, then compile a large module.
///
/// # Errors
/// If the machine does not grant an engine, or a job ends otherwise than it must.
pub fn sandbox(load: &SandboxLoad) -> Result<Report> {
    let mut report = Report::new("sandbox", &std::env::temp_dir());
    report.load("threads", load.threads);
    report.load("seconds", load.seconds);
    report.load("job", "raw module, one page of memory, 8 bytes in, the same 8 bytes out");
    report.load("compiled_functions", load.functions);
    let slots = u32::try_from(load.threads)?.max(1);
    let config = EngineConfig { slots, memory_bytes_max: 64 << 20, cache_modules: 8 };
    let engine = Engine::new(config)?;
    let tiny = ::sandbox::binary_of(TINY.as_bytes())?;
    run_tiny(&engine, &tiny)?;

    let until = Instant::now() + Duration::from_secs(load.seconds as u64);
    let start = Instant::now();
    let threads: Vec<Result<Vec<f64>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut took = Vec::new();
                    while Instant::now() < until {
                        let begun = Instant::now();
                        run_tiny(&engine, &tiny)?;
                        took.push(begun.elapsed().as_secs_f64() * 1e6);
                    }
                    Ok(took)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no job panics")).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut took = Vec::new();
    for thread in threads {
        took.extend(thread?);
    }
    report.result("jobs", took.len());
    report.figure("jobs_per_second_per_core", took.len() as f64 / seconds / load.threads as f64);
    report.figure("job_p50_us", percentile(&mut took, 50));
    report.figure("job_p99_us", percentile(&mut took, 99));

    let text = large_module(load.functions);
    let large = ::sandbox::binary_of(text.as_bytes())?;
    let mebibytes = large.len() as f64 / f64::from(1 << 20);
    let begun = Instant::now();
    run_tiny(&engine, &large)?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
    report.figure("compiled_module_mib", mebibytes);
    report.figure("compile_ms_per_mib", milliseconds / mebibytes);
    Ok(report)
}

fn run_tiny(engine: &Engine, module: &[u8]) -> Result<()> {
    let job = Job { input: b"12345678", ..Job::new(module, Abi::Raw, LIMITS) };
    match engine.run(&job, &|_| {}, &AtomicBool::new(false))? {
        Ended::Done(run) if run.stdout == b"12345678" => Ok(()),
        other => bail!("a tiny job ended with {other:?}"),
    }
}

/// The tiny module with many functions beside it, as a real program's library would stand there.
fn large_module(functions: usize) -> String {
    let mut text = TINY.trim_end().trim_end_matches(')').to_owned();
    text.push(')');
    text.push(')');
    for n in 0..functions {
        let _ = write!(
            text,
            "(func (param $a i64) (param $b i64) (result i64) (local $i i32)
                (loop $again
                    (local.set $a (i64.add (i64.mul (local.get $a) (local.get $b)) (i64.const {n})))
                    (local.set $b (i64.rotl (i64.xor (local.get $b) (local.get $a)) (i64.const 7)))
                    (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
                (if (result i64) (i64.lt_u (local.get $a) (local.get $b))
                    (then (i64.div_u (local.get $a) (i64.or (local.get $b) (i64.const 1))))
                    (else (i64.sub (local.get $a) (local.get $b)))))"
        );
    }
    text.push(')');
    text
}
