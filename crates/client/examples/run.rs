//! Run a job on the network at 127.0.0.1:8700 (`meshx up` starts one), and check its receipt.

use api::{Client, Output};
use client::{Module, Request, Resources, Terms, engine, output, receipt, submit, wallet};
use std::error::Error;
use types::ChainId;

/// Writes its first eight bytes of input to its output.
const TEXT: &[u8] = br#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\20\00\00\00\08\00\00\00")
    (func (export "_start")
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new("http://127.0.0.1:8700")?;
    let module = Module::read(&engine()?, "echo.wat", TEXT)?;
    let input = b"eight by".to_vec();
    let request = Request::new(module, Resources { input, ..Resources::default() })?;
    // Everyone's money on a network of development keys.
    let key = wallet::paying(&wallet::development());
    let terms = Terms { chain: ChainId::Europe, max_price: None, deadline: 1_200, fresh: true };
    let finished = submit(&client, &key, &request, &terms, &|step| eprintln!("{step:?}"))?;
    let (_, verified) = receipt(&client, &finished)?;
    let text = output(&client, &finished.view, Output::Stdout)?;
    println!("{} ({})", String::from_utf8_lossy(&text), verified.assurance());
    Ok(())
}
