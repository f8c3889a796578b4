//! Every command speaks JSON: results on stdout with stable names, failures on stderr.
//!
//! The list of commands is that of the manual, so that a new one is missing here until it has a row.

use crate::{
    nodes::free_ports,
    support::{MESHX, User, example},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

/// What a command answers with.
enum Answer {
    /// An object with these names, or a list of such objects.
    With(&'static [&'static str]),
    /// Objects of which the first has these names; the command stays, and is ended.
    Stays(&'static [&'static str]),
    /// It cannot be done here, and says so.
    Fails,
    /// `meshx-lab` answers, which is told by MESHX_OUTPUT; `lab.rs` tests that.
    Lab,
}

use Answer::{Fails, Lab, Stays, With};

/// What was sent.
const SENT: Answer = With(&["tx", "chain", "height", "block"]);

/// The command, what is typed behind it, and the answer. They are run in this order.
const ROWS: &[(&str, &str, Answer)] = &[
    (
        "up",
        "--listen 127.0.0.1:0 --validators 1 --latency none",
        Stays(&["ready", "node", "network", "seconds"]),
    ),
    ("status", "", With(&["network", "name", "version", "dev_dealer", "join", "chains"])),
    (
        "run",
        "--receipt r.mxr WORDCOUNT",
        With(&[
            "job",
            "chain",
            "height",
            "status",
            "what",
            "hint",
            "output_hash",
            "output",
            "logs",
            "fuel",
            "price",
            "demand",
            "refunded",
            "workers",
            "agreed",
            "assurance",
            "simulated",
            "cached_from",
            "receipt",
        ]),
    ),
    (
        "quote",
        "WORDCOUNT",
        With(&[
            "fuel",
            "fuel_max",
            "usage",
            "multipliers",
            "rates",
            "price_low",
            "price_likely",
            "price_max",
            "status",
            "logs",
            "output_hash",
            "from_network",
        ]),
    ),
    (
        "verify",
        "r.mxr",
        With(&[
            "accepted",
            "network",
            "dev_dealer",
            "chain",
            "height",
            "job",
            "module",
            "input",
            "status",
            "output_hash",
            "fuel",
            "price",
            "assurance",
        ]),
    ),
    ("replay", "r.mxr", With(&["replayed", "here", "receipt"])),
    ("why", "JOB", With(&["job", "verdict", "kind", "what", "hint", "reasons"])),
    ("job list", "", With(&["items", "next"])),
    ("job show", "JOB", With(&["job", "chain", "height", "record", "assurance", "submitted_at"])),
    ("job follow", "JOB", With(&["job", "chain", "height", "record", "assurance", "submitted_at"])),
    ("job output", "JOB", With(&["job", "output"])),
    ("job logs", "JOB", With(&["job", "logs"])),
    ("job receipt", "JOB again.mxr", With(&["job", "receipt", "assurance"])),
    ("job cancel", "JOB", Fails),
    ("wallet new", "--wallet w", With(&["address", "wallet", "words"])),
    ("wallet show", "", With(&["address", "account"])),
    ("wallet import", "--wallet w2", With(&["address", "wallet"])),
    ("wallet send", "ADDRESS 1", SENT),
    ("publish", "WORDCOUNT", With(&["module", "tx", "height"])),
    ("faucet", "", With(&["address", "given"])),
    ("earnings", "", With(&["address", "chain", "earned", "rewards_owed", "commission_owed"])),
    (
        "stake validators",
        "",
        With(&["operator", "key", "standing", "tokens", "commission_bps", "seated", "peers"]),
    ),
    ("stake bond", "150000", SENT),
    ("stake show", "", With(&["address", "height", "now", "delegations"])),
    ("stake delegate", "VALIDATOR 1000", SENT),
    ("stake redelegate", "VALIDATOR ADDRESS 200", SENT),
    ("stake unbond", "VALIDATOR 300", SENT),
    ("stake withdraw", "VALIDATOR", Fails),
    ("stake claim", "OWN", Fails),
    ("stake commission", "--set 600", SENT),
    ("stake vrf", "", SENT),
    ("stake announce", "", SENT),
    ("stake unjail", "", Fails),
    ("stake equivocations", "", With(&[])),
    ("stake misbehave", "", With(&["key", "first", "second"])),
    ("stake report", "nowhere", Fails),
    ("gov params", "", With(&["chain", "params"])),
    ("gov propose params", "rate_core_second=2000000", With(&["tx", "height", "proposal"])),
    ("gov vote", "1 yes", With(&["tx", "height", "proposal"])),
    (
        "gov show",
        "1",
        With(&[
            "id",
            "proposer",
            "title",
            "kind",
            "deposit",
            "submitted",
            "status",
            "tally",
            "standing",
        ]),
    ),
    ("gov propose spend", "treasury ADDRESS 1", With(&["tx", "height", "proposal"])),
    ("gov propose admission", "EU listed", With(&["tx", "height", "proposal"])),
    ("gov propose measurement", "tpm2 00ff", With(&["tx", "height", "proposal"])),
    ("gov propose platform-key", "arm-cca HASH", With(&["tx", "height", "proposal"])),
    ("gov propose pause", "60", With(&["tx", "height", "proposal"])),
    (
        "gov list",
        "",
        With(&["id", "proposer", "title", "kind", "deposit", "submitted", "status", "tally"]),
    ),
    ("hash", "r.mxr", With(&["hash"])),
    ("network list", "", With(&["network", "name", "dev_dealer", "current"])),
    ("network use", "local", With(&["network", "node"])),
    ("supply", "--year 0..3", With(&["years"])),
    ("attest verify", "EVIDENCE", With(&["class", "measurement"])),
    ("attest submit", "--tpm /nowhere", Fails),
    ("attest show", "", With(&["address", "chain", "challenges", "record", "counts", "now"])),
    ("presence deal", "--network MEASURED --dir dealt", With(&["witnesses", "list"])),
    ("presence attend", "--list dealt/list.json --keys dealt/keys", Stays(&["ready", "witnesses"])),
    ("presence prove", "--list dealt/list.json --key k --place 0,-150", Fails),
    ("presence verify", "r.mxr --list dealt/list.json", Fails),
    ("presence show", "", With(&["address", "record", "certified", "vrf", "ticket", "seats"])),
    ("presence list", "--out period.json", Fails),
    ("presence submit", "r.mxr", Fails),
    ("node init", "--dir net --nodes 1 --port PORT", With(&["network", "folders"])),
    ("node bootstrap", "--dir signer --network HASH PEER", With(&["list", "signed_by"])),
    ("provide", "--dir edge", Stays(&["id"])),
    ("node start", "--dir net/node-0", Stays(&["node", "network", "index", "peers"])),
    ("peers", "--dir nowhere", Fails),
    ("doctor", "--port PORT", With(&["what", "verdict", "found", "next"])),
    ("completions", "bash", With(&["shell", "script"])),
    ("man", "pages", With(&["folder", "pages"])),
    ("bench", "", Lab),
    ("econ", "", Lab),
    ("attest conformance", "", Lab),
    ("attest flips", "", Lab),
    ("presence evaluate", "", Lab),
    ("presence locate", "", Lab),
    ("presence sybil-cost", "", Lab),
];

/// The commands that do something, as the manual has them: those without commands below them.
fn commands(user: &User) -> BTreeSet<String> {
    let made = user.json(&["man", "manual"]);
    let pages: Vec<&str> =
        made["pages"].as_array().unwrap().iter().map(|page| page.as_str().unwrap()).collect();
    let names: BTreeSet<&str> = pages.iter().filter_map(|page| page.strip_suffix(".1")).collect();
    let is_leaf = |name: &&&str| !names.iter().any(|other| other.starts_with(&format!("{name}-")));
    names
        .iter()
        .filter(is_leaf)
        .filter_map(|name| name.strip_prefix("meshx-"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_a_row() {
    let rows: BTreeSet<String> = ROWS.iter().map(|(words, ..)| words.replace(' ', "-")).collect();
    assert_eq!(rows, commands(&User::new()));
}

#[test]
fn every_command_answers_in_json() {
    let user = User::new();
    let (_mesh, node) = user.start_quick_mesh();
    let user = user.on(&node);
    let mut named = Named::of(&user);
    for (words, rest, answer) in ROWS {
        let rest: Vec<String> = rest.split_whitespace().map(|word| named.filled(word)).collect();
        let line: Vec<&str> = words.split(' ').chain(rest.iter().map(String::as_str)).collect();
        match answer {
            With(names) => {
                let said = said(&user, &line, &named.words);
                // A doctor that finds something bad says so by its exit code, too.
                assert!(said.0 == 0 || *words == "doctor", "{words}: {}\n{}", said.1, said.2);
                let objects = lines(words, &said.1);
                holds(words, objects.first().unwrap_or(&Value::Null), names);
                named.learn(words, &objects);
            }
            Stays(names) => holds(words, &first_line(&user, &line), names),
            Fails => {
                let said = said(&user, &line, "");
                assert_ne!(said.0, 0, "{words}: {}", said.1);
                assert!(
                    said.1.is_empty() || lines(words, &said.1).len() == 1,
                    "{words}: {}",
                    said.1
                );
                holds(words, lines(words, &said.2).last().unwrap(), &["error", "causes", "hints"]);
            }
            Lab => {}
        }
    }
}

#[test]
fn what_is_mistyped_is_told_in_json_too() {
    let user = User::new();
    for line in
        [&["run"][..], &["stake", "delegate", "me", "5"], &["nonsense"], &["supply", "--yaer", "1"]]
    {
        let said = said(&user, line, "");
        assert_ne!(said.0, 0);
        let object = lines("mistyped", &said.2).pop().unwrap();
        holds("mistyped", &object, &["error", "causes", "hints"]);
        assert!(!object["error"].as_str().unwrap().contains("Usage"), "{object}");
    }
    fs::write(user.path("meshx.toml"), "output = \"json\"\n").unwrap();
    let failed = user.meshx(&["verify", "nowhere"], b"").exits(125);
    holds("verify", &serde_json::from_str(&failed.stderr).unwrap(), &["error", "causes", "hints"]);
}

/// Words of the rows that stand for what only a run knows.
struct Named {
    job: String,
    words: String,
    address: String,
    validator: String,
    own: String,
    port: u16,
}

impl Named {
    fn of(user: &User) -> Self {
        let validators = user.json(&["stake", "validators"]);
        let own = user.json(&["wallet", "show"])["address"].as_str().unwrap().to_owned();
        let validator = validators[0]["operator"].as_str().unwrap().to_owned();
        let empty = String::new;
        Self {
            job: empty(),
            words: empty(),
            address: own.clone(),
            own,
            validator,
            port: free_ports(),
        }
    }

    fn filled(&self, word: &str) -> String {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        match word {
            "WORDCOUNT" => example("wordcount"),
            "JOB" => self.job.clone(),
            "ADDRESS" => self.address.clone(),
            "OWN" => self.own.clone(),
            "VALIDATOR" => self.validator.clone(),
            "HASH" => "ab".repeat(32),
            "PORT" => self.port.to_string(),
            "MEASURED" => format!("{root}/examples/presence"),
            "EVIDENCE" => format!("{root}/examples/attest/intel-sgx"),
            "PEER" => {
                "/ip4/192.0.2.1/tcp/8800/p2p/12D3KooWCbzFJ8C5g8tv5C9zGvLiSya1acm2rNEt6kEXZpZPFLNq"
                    .into()
            }
            word => word.to_owned(),
        }
    }

    /// What later rows need.
    fn learn(&mut self, words: &str, objects: &[Value]) {
        let text = |name: &str| objects[0][name].as_str().unwrap().to_owned();
        match words {
            "run" => self.job = text("job"),
            "wallet new" => (self.words, self.address) = (text("words"), text("address")),
            // Stake moves between validators, of which one's own is the second.
            "wallet send" => self.address = self.own.clone(),
            _ => {}
        }
    }
}

fn command(user: &User, line: &[&str]) -> Command {
    let mut command = user.command(line);
    command.args(["--output", "json"]).env("MESHX_PASSPHRASE", "p");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(user: &User, line: &[&str], input: &str) -> (i32, String, String) {
    let mut child = command(user, line).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The first line of a command that stays, which is ended then.
fn first_line(user: &User, line: &[&str]) -> Value {
    let mut child = command(user, line).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    lines(&line.join(" "), &first).pop().unwrap_or_else(|| panic!("{MESHX} {line:?} said nothing"))
}

/// Each line is JSON; so is a result over several lines.
#[track_caller]
fn lines(words: &str, text: &str) -> Vec<Value> {
    if let Ok(whole) = serde_json::from_str(text) {
        return vec![whole];
    }
    let read = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{words}: {error}: {text}"))
    };
    text.lines().map(read).collect()
}

/// An object has these names; a list is of objects that have.
#[track_caller]
fn holds(words: &str, value: &Value, names: &[&str]) {
    let object = match value {
        Value::Array(list) => list.first().cloned().unwrap_or(json!({})),
        other => other.clone(),
    };
    if value.as_array().is_some_and(Vec::is_empty) && names.is_empty() {
        return;
    }
    let known: Vec<&String> =
        object.as_object().unwrap_or_else(|| panic!("{words}: {value}")).keys().collect();
    for name in names {
        assert!(known.iter().any(|known| known == name), "{words}: {name} is not among {known:?}");
    }
}
