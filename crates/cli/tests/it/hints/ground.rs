//! Where situations are run: a mesh, a home, and in it all that goes wrong.

use crate::{
    nodes::free_ports,
    support::{Running, User, example},
};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Longest wait for a hint of a command that stays.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Ground {
    user: User,
    _mesh: Running,
    _ports: Vec<TcpListener>,
    _lock: File,
    /// Words that stand for what only a run knows.
    named: Vec<(&'static str, String)>,
}

impl Ground {
    pub fn new() -> Self {
        let user = User::new();
        let (mesh, node) = user.start_quick_mesh();
        modules(&user);
        settings(&user, &node);
        let on = |line: &[&str]| {
            let line: Vec<&str> =
                ["--node", &node].into_iter().chain(line.iter().copied()).collect();
            user.meshx(&line, b"").exits(0)
        };
        let job = user.meshx(
            &["--node", &node, "run", "--output", "json", "--receipt", "r.mxr", "good.wat"],
            b"",
        );
        let job = job.exits(0).json()["job"].as_str().unwrap().to_owned();
        let running = on(&["run", "--detach", "--fuel", "60000000000", "spin.wat"]);
        let running = running.text().trim().to_owned();
        on(&["presence", "deal", "--network", &measured(), "--dir", "dealt"]);
        let port = free_ports();
        on(&["node", "init", "--nodes", "1", "--dir", "net", "--port", &port.to_string()]);
        let wallet =
            user.command(&["wallet", "new", "--wallet", "w"]).env("MESHX_PASSPHRASE", "p").output();
        assert!(wallet.unwrap().status.success());
        let whole = fs::read_to_string(user.path("w")).unwrap();
        fs::write(user.path("cut"), &whole[..whole.len() - 12]).unwrap();
        let lock = folders(&user);
        let listen = |at: (&str, u16)| TcpListener::bind(at).unwrap();
        // What listens at the port of a node of `net`.
        let ports = vec![listen(("127.0.0.1", port + 1))];
        let own = on(&["--output", "json", "wallet", "show"]).json();
        let named = vec![
            ("OWN", own["address"].as_str().unwrap().to_owned()),
            ("NODE", node.clone()),
            ("LISTEN", node.trim_start_matches("http://").to_owned()),
            ("JOB", job),
            ("RUNNING", running),
            ("FAKE", fake()),
            ("HASH", "ab".repeat(32)),
            (
                "PEER",
                "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWCbzFJ8C5g8tv5C9zGvLiSya1acm2rNEt6kEXZpZPFLNq"
                    .into(),
            ),
            ("ANOTHER", example("wordcount")),
        ];
        Self { user, _mesh: mesh, _ports: ports, _lock: lock, named }
    }

    /// The command of a line: variables, then words. `offline` names no node.
    fn command(&self, line: &str) -> Command {
        let named = |word: &str| -> String {
            let known = self.named.iter().find(|(name, _)| *name == word);
            known.map_or_else(|| word.to_owned(), |(_, value)| value.clone())
        };
        let (mut variables, mut words, mut offline) = (Vec::new(), Vec::new(), false);
        for word in line.split_whitespace() {
            match word.split_once('=') {
                _ if words.is_empty() && word == "offline" => offline = true,
                Some((name, value))
                    if words.is_empty()
                        && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') =>
                {
                    variables.push((name, value));
                }
                _ => words.push(named(word)),
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = self.user.command(&words);
        if !offline {
            command.env("MESHX_NODE", named("NODE"));
        }
        for (name, value) in variables {
            // Folders are named in the home.
            let is_folder = name.starts_with("XDG_");
            let value = if is_folder {
                self.user.path(value).display().to_string()
            } else {
                value.to_owned()
            };
            command.env(name, value);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// All that a command says until it ends.
    pub fn typed(&self, line: &str, input: &str) -> String {
        if line.contains("XDG_STATE_HOME=starting") {
            self.mesh_that_ends();
        }
        let mut child = self.command(line).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        // One that does not end is no situation: it is ended, and misses its hint.
        let (over, ended) = mpsc::channel::<()>();
        let process = child.id().to_string();
        thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").arg(process).status();
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(over);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// What a command says until the hint comes. Its stdin stays open.
    pub fn stays(&self, line: &str, words: &str, interrupted: bool) -> String {
        let mut child = self.command(line).spawn().unwrap();
        let _open = child.stdin.take();
        let (sender, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut stdout = child.stdout.take().unwrap();
        thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        if interrupted {
            // Until its job is on the chain.
            thread::sleep(Duration::from_secs(6));
            let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            assert!(signal.unwrap().success());
        }
        let (begun, mut said) = (Instant::now(), String::new());
        while begun.elapsed() < PATIENCE && !said.contains(words) {
            match lines.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => said += &format!("{line}\n"),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        said
    }

    /// A mesh that says that it starts, and is gone a second later.
    fn mesh_that_ends(&self) {
        let file = self.user.path("starting/meshx/up");
        let process = std::process::id();
        write(
            &file,
            &format!(r#"{{"node":"http://127.0.0.1:9","process":{process},"ready":false}}"#),
        );
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(1));
            let _ = fs::remove_file(file);
        });
    }
}

fn measured() -> String {
    format!("{}/../../examples/presence", env!("CARGO_MANIFEST_DIR"))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn modules(user: &User) {
    let module = |name: &str, body: &str| {
        fs::write(user.path(name), format!("(module {body})")).unwrap();
    };
    module("good.wat", r#"(memory (export "memory") 1) (func (export "_start"))"#);
    module("big.wat", r#"(memory (export "memory") 8000) (func (export "_start"))"#);
    module("spin.wat", r#"(memory (export "memory") 1) (func (export "_start") (loop (br 0)))"#);
    // Takes far longer than its fuel stands for.
    module(
        "lists.wat",
        r#"(import "wasi_snapshot_preview1" "fd_readdir"
            (func $list (param i32 i32 i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop
            (drop (call $list (i32.const 3) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 8)))
            (br 0)))"#,
    );
    module(
        "launch.wat",
        r#"(import "env" "launch" (func)) (memory (export "memory") 1) (func (export "_start"))"#,
    );
    // A GiB and a byte that no disk holds.
    File::create(user.path("long")).unwrap().set_len((1 << 30) + 1).unwrap();
}

/// Settings, choices and meshes that are not what they seem.
fn settings(user: &User, node: &str) {
    let hash = "cd".repeat(32);
    let chosen = |node: &str| format!(r#"{{"network":"{hash}","node":"{node}"}}"#);
    write(&user.path("gone/meshx/network.json"), &chosen("http://127.0.0.1:9"));
    write(&user.path("other/meshx/network.json"), &chosen(node));
    write(&user.path("misspelt/meshx/config.toml"), "nod = 1\n");
    let process = std::process::id();
    let up = format!(r#"{{"node":"http://127.0.0.1:9","process":{process},"ready":true}}"#);
    write(&user.path("silent/meshx/up"), &up);
}

/// Folders that cannot be used. One is held as long as the file is open.
fn folders(user: &User) -> File {
    write(&user.path("old/format"), "1\n");
    write(&user.path("junk/mesh.json"), "{");
    write(&user.path("stranger/identity"), "nobody");
    write(&user.path("plain/peers.json"), r#"{"id":"x"}"#);
    write(&user.path("dead/peers.json"), r#"{"id":"x","metrics":"127.0.0.1:9"}"#);
    write(&user.path("held/lock"), "4711\n");
    let lock = File::open(user.path("held/lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Something that answers, and is no node.
fn fake() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; 1_024];
    let _ = stream.read(&mut request);
    let _ =
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
}
