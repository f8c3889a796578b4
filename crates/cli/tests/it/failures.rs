//! Jobs that fail, each in its own way: `run` and `why` say what happened and what to try.

use crate::support::{Running, User};
use api::{Client, Wait};
use client::{
    Module, Request, Resources, Terms,
    wallet::{self, SigningKey},
};
use std::{
    fs, thread,
    time::{Duration, Instant},
};
use types::{
    Action, Agreement, ChainId, City, Hash, JobId, NanoMeshx, Outcome, OutputRef, Reveal, Status,
    state::Phase,
};

const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// Longest wait for something that takes some blocks.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a job is asked with, and what is said of its end.
struct Case {
    /// Functions of the module, the last of which is its entry.
    functions: &'static str,
    options: &'static [&'static str],
    code: i32,
    /// In the sentence that says what happened.
    what: &'static [&'static str],
    /// In the hint.
    hint: &'static str,
}

/// Ends that all honest workers agree about.
const SETTLED: &[Case] = &[
    Case {
        functions: r#"(func $give_up unreachable) (func (export "_start") (call $give_up))"#,
        options: &[],
        code: 134,
        what: &["trapped: unreachable executed in function 1 (`give_up`) at byte 0x"],
        hint: "the program gave up there",
    },
    Case {
        functions: r#"(func $mean (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
            (func (export "_start") (call $mean (i32.const 0)))"#,
        options: &[],
        code: 134,
        what: &["trapped: integer divide by zero in function 1 (`mean`) at byte 0x"],
        hint: "check the divisor",
    },
    Case {
        functions: r#"(func $peek (drop (i32.load (i32.const -4)))) (func (export "_start") (call $peek))"#,
        options: &[],
        code: 134,
        what: &["trapped: memory access out of bounds in function 1 (`peek`)"],
        hint: "an index or a pointer is wrong there",
    },
    Case {
        functions: r#"(type $other (func (param i64))) (table 1 funcref) (elem (i32.const 0) $nothing)
            (func $nothing) (func $cast (call_indirect (type $other) (i64.const 0) (i32.const 0)))
            (func (export "_start") (call $cast))"#,
        options: &[],
        code: 134,
        what: &[
            "trapped: call through a table to a function of another type in function 2 (`cast`)",
        ],
        hint: "a function pointer was cast to another type",
    },
    Case {
        functions: r#"(func $descend (call $descend)) (func (export "_start") (call $descend))"#,
        options: &[],
        code: 134,
        what: &["stack overflow", "too deeply"],
        hint: "write the recursion as a loop",
    },
    Case {
        functions: r#"(func $spin (loop (br 0))) (func (export "_start") (call $spin))"#,
        options: &["--fuel", "1000000"],
        code: 134,
        what: &["out of fuel: it used all 1,000,000, in function 1 (`spin`)"],
        hint: "raise --fuel (now 1000000)",
    },
    Case {
        functions: r#"(func (export "_start") (i32.store (i32.const 0) (i32.const 8))
            (i32.store (i32.const 4) (i32.const 65528))
            (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (br 0)))"#,
        options: &["--output-limit", "1"],
        code: 134,
        what: &["output past 1 MiB"],
        hint: "raise --output-limit (now 1)",
    },
    Case {
        functions: r#"(func $grow (if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable)))
            (func (export "_start") (call $grow))"#,
        options: &["--memory", "2"],
        code: 134,
        what: &["out of memory: it asked for more than its 2 MiB, in function 1 (`grow`)"],
        hint: "raise --memory (now 2)",
    },
    Case {
        functions: r#"(func (export "_start") (call $exit (i32.const 7)))"#,
        options: &[],
        code: 7,
        what: &["exit code 7"],
        hint: "what it wrote to stderr",
    },
];

fn module(functions: &str) -> String {
    let import = if functions.contains("$exit") {
        r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#
    } else {
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#
    };
    format!(r#"(module {import} (memory (export "memory") 1) {functions})"#)
}

fn mesh() -> (Running, User, Client) {
    let user = User::new();
    let words = ["up", "--listen", "127.0.0.1:0", "--output", "json", "--latency", "none"];
    let words: Vec<&str> =
        words.into_iter().chain(["--block-ms", "100", "--rest-ms", "0"]).collect();
    let (mesh, ready) = user.start(&words, "ready");
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let node = ready["node"].as_str().unwrap();
    (mesh, user.on(node), Client::new(node).unwrap())
}

/// What `why` prints, with the sentence and the hint in it.
#[track_caller]
fn explained(user: &User, job: &str, kind: &str, what: &[&str], hint: &str) {
    let said = user.meshx(&["why", job], b"").exits(0);
    for words in what.iter().chain([&hint]) {
        assert!(said.text().contains(words), "{words:?} is missing from: {}", said.text());
    }
    assert!(said.text().lines().last().unwrap().starts_with("hint: "), "{}", said.text());
    let object = user.json(&["why", job]);
    assert_eq!(object["kind"], kind, "{object}");
    assert!(object["hint"].as_str().unwrap().contains(hint), "{object}");
}

#[test]
fn each_kind_of_failed_job_is_explained() {
    let (_mesh, user, client) = mesh();
    for (number, case) in SETTLED.iter().enumerate() {
        let file = format!("case-{number}.wat");
        fs::write(user.path(&file), module(case.functions)).unwrap();
        let words =
            [&["run", "--output", "table", "--receipt", "r.mxr"], case.options, &[&file]].concat();
        let said = user.meshx(&words, b"").exits(case.code);
        for words in case.what {
            assert!(said.stderr.contains(words), "{words:?} is missing from: {}", said.stderr);
        }
        // A program's own exit code is its own matter.
        let hint = said.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
        let hinted = hint.contains(case.hint) || case.code == 7;
        assert!(hinted, "{:?} is missing from: {}", case.hint, said.stderr);
        let job = user.json(&["verify", "r.mxr"])["job"].as_str().unwrap().to_owned();
        let kind = match number {
            0..=3 => "trapped",
            4 => "stack_overflow",
            5 => "out_of_fuel",
            6 => "output_too_long",
            7 => "out_of_memory",
            _ => "exit_code",
        };
        explained(&user, &job[..12], kind, case.what, case.hint);
    }
    killed_by_the_clock(&user);
    without_a_result(&user, &client);
    no_agreement(&user, &client);
}

fn killed_by_the_clock(user: &User) {
    // A call of the host takes far longer than its fuel stands for.
    let lists = r#"(module
        (import "wasi_snapshot_preview1" "fd_readdir"
            (func $list (param i32 i32 i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop
            (drop (call $list (i32.const 3) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 8)))
            (br 0))))"#;
    fs::write(user.path("spin.wat"), lists).unwrap();
    let words = ["run", "--wall", "1", "--fuel", "166000000", "spin.wat"];
    let said = user.meshx(&words, b"").exits(125);
    for words in ["killed by the wall clock", "--wall 1", "hint: raise --wall (now 1)"] {
        assert!(said.stderr.contains(words), "{words:?} is missing from: {}", said.stderr);
    }
    let jobs = user.json(&["job", "list"]);
    let job = jobs["items"][0]["job"].as_str().unwrap().to_owned();
    explained(user, &job, "wall_clock", &["killed by the wall clock"], "raise --wall (now 1)");
}

/// What other programs may send, though `meshx run` would not.
fn without_a_result(user: &User, client: &Client) {
    let broken = b"\0asm, and then something else".to_vec();
    let (wanted, some) = (Agreement { replicas: 5, agree: 3 }, Resources::default().agreement);
    // A module that no worker takes.
    let job = submit(client, ChainId::Europe, some, 400, |request| {
        (request.spec.module, request.spec.module_len) =
            (Hash::of_content(&broken), broken.len() as u64);
        request.module = broken.clone();
    });
    wait_until_over(client, job);
    explained(user, &job.to_string(), "refused", &["no worker can run it: "], "meshx quote refuse");

    // More workers than there are: refused at once by `run`.
    fs::write(user.path("nothing.wat"), NOTHING).unwrap();
    let refused = user.meshx(&["run", "--replicas", "5", "nothing.wat"], b"").exits(125);
    for words in ["5 workers are asked for, but EU has 4", "hint: ask for fewer with --replicas"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let waits = submit(client, ChainId::Europe, wanted, 1_200, |_| ());
    let said = user.meshx(&["why", &waits.to_string()], b"").exits(0);
    assert!(said.text().contains("needs 5 workers"), "{}", said.text());
    user.meshx(&["job", "cancel", &waits.to_string()], b"").exits(0);
    explained(user, &waits.to_string(), "cancelled", &["cancelled: its payer"], "meshx run sends");
    let expires = submit(client, ChainId::Europe, wanted, 60, |request| {
        let limits = &mut request.spec.limits;
        (limits.fuel, limits.wall) = (types::Fuel::new(1_000_000_000), types::Millis::new(6_000));
    });
    wait_until_over(client, expires);
    let (what, hint) = (["too few workers: it needs 5"], "ask for fewer with --replicas");
    explained(user, &expires.to_string(), "too_few_workers", &what, hint);
}

/// Half of the workers lie, each in its own way.
fn no_agreement(user: &User, client: &Client) {
    let chain = ChainId::Oceania;
    let liars: Vec<SigningKey> = (1..=4).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    let city = City::new("Nowhere").unwrap();
    for liar in &liars {
        let (to, amount) = (wallet::address(liar), NanoMeshx::new(2_000_000_000));
        act(client, &payer(), chain, Action::Transfer { to, amount });
        let (capacity, floor) = (1, NanoMeshx::ZERO);
        act(client, liar, chain, Action::RegisterWorker { capacity, city: city.clone(), floor });
    }
    let agreement = Agreement { replicas: 8, agree: 5 };
    let job = submit(client, chain, agreement, 400, |_| ());
    let told = |n: usize| Reveal { job, outcome: made_up(n), salt: Hash([7; 32]) };
    wait_until(client, job, |phase| matches!(phase, Phase::Committing { .. }));
    for (n, liar) in liars.iter().enumerate() {
        let commitment = told(n).commitment(&wallet::address(liar));
        act(client, liar, chain, Action::Commit { job, commitment });
    }
    wait_until(client, job, |phase| matches!(phase, Phase::Revealing { .. }));
    for (n, liar) in liars.iter().enumerate() {
        act(client, liar, chain, Action::Reveal(told(n)));
    }
    wait_until_over(client, job);
    let what = [
        "no agreement: 8 of 8 workers showed 5 different results, and 5 must be the same",
        "4 of them gave what a run on this machine gives",
    ];
    explained(user, &job.to_string(), "no_agreement", &what, "run it again, with more --replicas");
}

fn made_up(n: usize) -> Outcome {
    let output = OutputRef { hash: Hash::of_content(&[n as u8]), len: 1 };
    let fuel = types::Fuel::new(9);
    Outcome { status: Status::Exited(0), stdout: output, stderr: output, fuel, memory_bytes: 0 }
}

fn payer() -> SigningKey {
    wallet::paying(&wallet::development())
}

fn act(client: &Client, key: &SigningKey, chain: ChainId, action: Action) {
    client::act_in_turn(client, key, chain, &action).unwrap();
}

/// Send a job by the API alone, changed as a careless program would.
fn submit(
    client: &Client,
    chain: ChainId,
    agreement: Agreement,
    deadline: u64,
    change: impl FnOnce(&mut Request),
) -> JobId {
    let module = Module::read(&client::engine().unwrap(), "nothing", NOTHING.as_bytes()).unwrap();
    let input = format!("{chain} {deadline} {}", agreement.replicas).into_bytes();
    let resources = Resources { input, agreement, ..Resources::default() };
    let mut request = Request::new(module, resources).unwrap();
    change(&mut request);
    for blob in request.blobs() {
        client.put_blob(Hash::of_content(blob), blob, None).unwrap();
    }
    let (key, network) = (payer(), client.status().unwrap().network);
    let account = client.account(chain, wallet::address(&key)).unwrap();
    let demand = client.market(chain).unwrap().demand;
    let params = client.params(chain).unwrap();
    let price = client::price_max(&request, demand, &params).unwrap();
    let terms = Terms { chain, max_price: None, deadline, fresh: true };
    let submission = client::submission(&request, &terms, price, account.height, &params);
    let action = Action::SubmitJob(submission);
    let intent = client::intent(client, &key, chain, action).unwrap();
    let tx = client::signed(&key, &network, intent);
    client.submit(&tx, Wait::Final).unwrap().tx
}

#[track_caller]
fn wait_until(client: &Client, job: JobId, done: impl Fn(&Phase) -> bool) {
    let begun = Instant::now();
    loop {
        let view = client.job(None, job).unwrap();
        if done(&view.record.phase) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "still {:?}", view.record.phase);
        thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn wait_until_over(client: &Client, job: JobId) {
    wait_until(client, job, |phase| matches!(phase, Phase::Settled(_) | Phase::Ended { .. }));
}
