//! The runtime that every node needs.

use crate::{failstop, folder::Folder};
use commonware_runtime::{Runner as _, tokio as tokio_runtime};
use futures::future::{FutureExt as _, LocalBoxFuture};

/// Starting an engine moves state machines of some hundred kilobytes through the stack.
const STACK_BYTES: usize = 32 << 20;

/// Run `main` on the runtime every node needs, with its files under `folder`.
///
/// # Panics
/// If the machine gives no thread, or `main` panics.
pub fn run<T, F>(folder: &Folder, main: impl FnOnce(tokio_runtime::Context) -> F + Send) -> T
where
    T: Send,
    F: Future<Output = T>,
{
    let mut result = None;
    // Behind a pointer, so that the runtime is compiled here and not by every caller.
    run_boxed(
        folder,
        Box::new(|context| main(context).map(|value| result = Some(value)).boxed_local()),
    );
    result.expect("main ran to its end")
}

type Main<'a> = Box<dyn FnOnce(tokio_runtime::Context) -> LocalBoxFuture<'a, ()> + Send + 'a>;

fn run_boxed(folder: &Folder, main: Main<'_>) {
    let armed = failstop::arm(folder.path());
    let main = Box::new(|context| {
        let main = main(context);
        async move {
            main.await;
            // From here on the runtime is taken down, with all that still runs on it.
            drop(armed);
        }
        .boxed_local()
    });
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let config = tokio_runtime::Config::default()
        .with_storage_directory(folder.path().join("chains"))
        .with_worker_threads(threads)
        // A panic of the engine must end the process (failstop.rs), and not just one of its tasks.
        .with_catch_panics(false);
    std::thread::scope(|scope| {
        let main = std::thread::Builder::new()
            .name("node".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || tokio_runtime::Runner::new(config).start(main))
            .expect("the machine has a thread to spare");
        main.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
