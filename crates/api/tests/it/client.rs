//! The client over a real socket.

use crate::{
    fake::{CHAIN, Fake, Mood, address, committing, job_id, job_view, params, settled},
    problems::tx,
};
use api::{
    Client, ClientError, Code, JobEvent, JobsQuery, Limits, Output, ProofKey, Wait, WorkersQuery,
    client::Timeouts,
};
use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};
use types::{ChainId, Hash, Height, NanoMeshx, state::Phase};

/// A node on a free port, and `script` against it.
fn with_node(fake: Fake, limits: Limits, script: impl FnOnce(Client) + Send + 'static) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    runtime.spawn(async move { axum::serve(listener, api::router(fake, limits)).await });
    script(client);
    runtime.shutdown_background();
}

/// A server that answers every request with `answer`.
fn with_answer(answer: &[u8], script: impl FnOnce(Client)) {
    with_answers(&[answer], script);
}

/// A server that answers the first connection with the first answer, and so on; the last is for all
/// that follow. An empty answer never comes.
fn with_answers(answers: &[&[u8]], script: impl FnOnce(Client)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let short = Duration::from_millis(300);
    let timeouts = Timeouts {
        answer: short,
        patient: short,
        reconnect: Duration::ZERO,
        ..Timeouts::default()
    };
    let client =
        Client::with_timeouts(listener.local_addr().unwrap().to_string(), timeouts).unwrap();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    std::thread::spawn(move || {
        for (n, connection) in listener.incoming().enumerate() {
            let mut connection: TcpStream = connection.unwrap();
            let answer = answers[n.min(answers.len() - 1)].clone();
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = connection.read(&mut request);
                let _ = connection.write_all(&answer);
                while answer.is_empty() {
                    std::thread::park();
                }
            });
        }
    });
    script(client);
}

fn stream_of(phases: &[Phase]) -> Vec<u8> {
    let events = phases.iter().map(|phase| {
        format!(
            "event: phase\ndata: {}\n\n",
            serde_json::to_string(&job_view(phase.clone())).unwrap()
        )
    });
    let events: String = events.collect();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: alive\n\n{events}")
        .into_bytes()
}

#[test]
fn a_refusal_before_the_body_came_leaves_the_connection_usable() {
    let limits = Limits { requests_max: 0, ..Limits::default() };
    with_node(Fake::default(), limits, |client| {
        let mut connection =
            TcpStream::connect(client.base().trim_start_matches("http://")).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        for _ in 0..3 {
            connection
                .write_all(b"POST /v1/txs HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n")
                .unwrap();
            // The head is read before the body is sent.
            std::thread::sleep(Duration::from_millis(50));
            connection.write_all(b"body").unwrap();
            let mut answer = [0; 4096];
            let len = connection.read(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer[..len]);
            assert!(answer.starts_with("HTTP/1.1 429"), "{answer:?}");
        }
    });
}

#[test]
fn a_broken_stream_is_taken_up_where_it_broke() {
    let first = stream_of(&[Phase::Queued { draws: 0 }, committing()]);
    let cut = [&first[..], b"event: phase\ndata: {"].concat();
    let second = stream_of(&[committing(), settled()]);
    with_answers(&[&cut, b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"], |client| {
        let told: Vec<_> = client.job_events(None, job_id()).collect();
        assert!(matches!(told[..], [Ok(_), Ok(_), Err(ClientError::BadAnswer { .. })]), "{told:?}");
    });
    with_answers(&[&cut, b"", &second], |client| {
        let told: Vec<_> = client.job_events(None, job_id()).map(Result::unwrap).collect();
        let expected = [Phase::Queued { draws: 0 }, committing(), settled()];
        assert_eq!(told, expected.map(|phase| JobEvent::Phase(Box::new(job_view(phase)))));
    });
}

#[test]
fn a_stream_that_only_repeats_itself_is_given_up() {
    let same = stream_of(&[Phase::Queued { draws: 0 }]);
    with_answer(&same, |client| {
        let told: Vec<_> = client.job_events(None, job_id()).collect();
        assert!(matches!(told[..], [Ok(_), Err(ClientError::Unreachable { .. })]), "{told:?}");
    });
}

#[test]
fn every_route_has_its_method() {
    with_node(Fake::default(), Limits::default(), |client| {
        let job = job_id();
        assert_eq!(client.status().unwrap().name, "fake");
        client.ready().unwrap();
        assert!(client.metrics().unwrap().contains("meshx_height"));
        assert_eq!(client.openapi().unwrap(), api::openapi());
        assert_eq!(client.genesis().unwrap(), b"\x00genesis\xff");
        assert_eq!(client.params(CHAIN).unwrap().block_ms, params().block_ms);
        assert_eq!(client.account(CHAIN, address()).unwrap().nonce, 3);
        assert_eq!(client.submit(&tx(), Wait::Final).unwrap().height, Some(Height::new(13)));
        assert_eq!(client.submit(&tx(), Wait::None).unwrap().height, None);
        let page = client.jobs(&JobsQuery::default()).unwrap();
        let rest = client
            .jobs(&JobsQuery { cursor: page.next, limit: 5, ..JobsQuery::default() })
            .unwrap();
        assert_eq!((page.items.len(), rest.next), (1, None));
        assert_eq!(client.job(Some(CHAIN), job).unwrap().job, job);
        assert_eq!(client.output(None, job, Output::Stdout).unwrap().bytes().unwrap(), b"hello");
        assert_eq!(client.output(None, job, Output::Stderr).unwrap().len(), Some(7));
        let list = client.output_file(None, job, None).unwrap();
        assert_eq!(list.bytes().unwrap(), b"list");
        let kept = client.post_blob(&b"left"[..], None).unwrap().hash;
        let file = client.output_file(None, job, Some(kept)).unwrap();
        assert_eq!(file.bytes().unwrap(), b"left");
        assert!(client.output_file(None, job, Some(types::Hash([1; 32]))).is_err());
        assert_eq!(client.receipt(None, job).unwrap(), b"MXR\x01");
        assert_eq!(client.why(None, job).unwrap().reasons[0].rule, "no_reveal");
        assert_eq!(client.workers(&WorkersQuery::default()).unwrap().items[0].address, address());
        assert_eq!(client.block(CHAIN, Height::new(4)).unwrap().header.height, Height::new(4));
        let proof = client.proof(CHAIN, ProofKey::Account(address())).unwrap();
        assert!(proof.present && proof.header.chain == CHAIN);
    });
}

#[test]
fn amounts_are_nano_on_both_sides() {
    with_node(Fake::default(), Limits::default(), |client| {
        assert_eq!(
            client.account(CHAIN, address()).unwrap().balance,
            NanoMeshx::new(1_500_000_000)
        );
        assert_eq!(client.params(CHAIN).unwrap(), params());
    });
}

#[test]
fn blobs_go_and_come_in_pieces() {
    with_node(Fake::default(), Limits::default(), |client| {
        let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7 % 251) as u8).collect();
        let (hash, len) = (Hash::of_content(&content), content.len() as u64);
        assert_eq!(client.blob_len(hash).unwrap(), None);
        assert_eq!(client.put_blob(hash, &content[..], Some(len)).unwrap().len, len);
        assert_eq!(client.post_blob(&content[..], None).unwrap().hash, hash);
        assert_eq!(client.blob_len(hash).unwrap(), Some(len));
        assert_eq!(client.blob_bytes(hash).unwrap(), content);
        let mut encoded = Vec::new();
        client.blob_encoded(hash).unwrap().read_to_end(&mut encoded).unwrap();
        assert_eq!(encoded[..4], *b"bao:");
        assert_eq!(encoded[4..], content);
    });
}

#[test]
fn a_job_is_followed_to_its_end() {
    with_node(Fake::default(), Limits::default(), |client| {
        let told: Vec<String> = client
            .job_events(None, job_id())
            .map(|event| match event.unwrap() {
                JobEvent::Phase(view) => {
                    serde_json::to_value(&view.record.phase).unwrap()["phase"].to_string()
                }
                JobEvent::Output(chunk) => String::from_utf8(chunk.bytes).unwrap(),
            })
            .collect();
        assert_eq!(told, ["\"queued\"", "\"committing\"", "hello", "\"settled\""]);
        let blocks: Vec<_> = client
            .blocks(CHAIN)
            .unwrap()
            .take(2)
            .map(|block| block.unwrap().header.height.get())
            .collect();
        assert_eq!(blocks, [1, 2]);
    });
}

#[test]
fn a_stream_that_ends_in_a_problem_says_so_once() {
    with_node(Fake::with(Mood::Breaking), Limits::default(), |client| {
        let events: Vec<_> = client.job_events(None, job_id()).collect();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1].as_ref().unwrap_err().problem().unwrap().code, Code::Pruned);
        let blocks: Vec<_> = client.blocks(CHAIN).unwrap().collect();
        assert_eq!(blocks[1].as_ref().unwrap_err().problem().unwrap().code, Code::Pruned);
    });
}

#[test]
fn problems_arrive_with_code_hint_and_delay() {
    with_node(Fake::with(Mood::Refusing(Code::Overloaded)), Limits::default(), |client| {
        let error = client.status().unwrap_err();
        assert!(error.is_passing());
        assert_eq!(error.to_string(), "refused\nhint: ask someone else");
        let problem = error.problem().unwrap();
        assert_eq!((problem.code, problem.retry_after), (Code::Overloaded, Some(1)));
    });
    with_node(Fake::default(), Limits::default(), |client| {
        let code = |error: ClientError| error.problem().map(|problem| problem.code);
        assert_eq!(code(client.params(ChainId::Africa).unwrap_err()), Some(Code::UnknownChain));
        assert_eq!(code(client.job(None, Hash([0; 32])).unwrap_err()), Some(Code::UnknownJob));
        assert_eq!(code(client.blob_bytes(Hash([0; 32])).unwrap_err()), Some(Code::UnknownBlob));
        let mismatch = client.put_blob(Hash([0; 32]), &b"hello"[..], None).unwrap_err();
        assert_eq!(code(mismatch), Some(Code::HashMismatch));
    });
}

#[test]
fn a_blob_too_long_is_refused_before_and_while_it_is_sent() {
    let limits = Limits { blob_bytes_max: 100_000, ..Limits::default() };
    with_node(Fake::default(), limits, |client| {
        let content = vec![7; 5_000_000];
        let error = client.post_blob(&content[..], Some(5_000_000)).unwrap_err();
        assert_eq!(
            error.problem().map(|problem| problem.code),
            Some(Code::PayloadTooLarge),
            "{error}"
        );
        // Without a length the node finds out on the way and hangs up; what it said may be lost then.
        let error = client.post_blob(&content[..], None).unwrap_err();
        let told = error.problem().map(|problem| problem.code) == Some(Code::PayloadTooLarge);
        assert!(told || matches!(error, ClientError::Unreachable { .. }), "{error}");
    });
}

#[test]
fn what_cannot_be_read_is_not_the_nodes_fault() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    with_node(Fake::default(), Limits::default(), |client| {
        let error = client.post_blob(Broken, Some(10)).unwrap_err();
        assert_eq!(error.to_string(), "cannot read the content to send: the disk is gone");
    });
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    let fake = Fake::with(Mood::Breaking);
    let content = vec![7; 250_000];
    let hash = Hash::of_content(&content);
    fake.blobs.lock().unwrap().insert(hash, content.into());
    with_node(fake, Limits::default(), move |client| {
        assert!(client.blob_bytes(hash).is_err());
        // Whether the headers were out before the body broke is up to the server's buffers.
        let encoded = client.blob_encoded(hash).and_then(api::client::Download::bytes);
        assert!(encoded.is_err());
    });
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = Client::new(format!("127.0.0.1:{port}")).unwrap();
    let error = client.status().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("hint: start a node"), "{error}");
}

#[test]
fn a_node_that_says_nothing() {
    with_answer(b"", |client| {
        assert!(matches!(client.status().unwrap_err(), ClientError::TimedOut { .. }));
        assert!(matches!(
            client.submit(&tx(), Wait::Final).unwrap_err(),
            ClientError::TimedOut { .. }
        ));
    });
}

#[test]
fn odd_answers_are_errors_not_panics() {
    let odd = |error: ClientError| {
        assert!(
            matches!(error, ClientError::BadAnswer { .. } | ClientError::Unreachable { .. }),
            "{error:?}"
        );
    };
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe\x00{",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 5\r\n\r\n<html",
        b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01",
    ] {
        with_answer(answer, |client| {
            odd(client.status().unwrap_err());
            odd(client.blocks(CHAIN).err().unwrap());
        });
    }
}

#[test]
fn other_content_than_asked_for_is_noticed() {
    with_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", |client| {
        let error = client.blob_bytes(Hash([1; 32])).unwrap_err();
        assert!(matches!(error, ClientError::WrongContent { .. }));
    });
}
