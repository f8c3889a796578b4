//! What prints each hint.

/// How a hint comes about.
pub enum Situation {
    /// This is typed. Variables stand first; `offline` names no node; words in capitals are those of `ground.rs`.
    Typed(&'static str),
    /// This is typed, and fed with this input.
    Fed(&'static str, &'static str),
    /// This is typed, and stays.
    Stays(&'static str),
    /// This is typed, and then Ctrl-C.
    Interrupted(&'static str),
    /// A test in this file, by its name.
    Tested(&'static str, &'static str),
    /// No test can have it, and why.
    Never(&'static str),
}

use Situation::{Fed, Interrupted, Never, Stays, Tested, Typed};

const OUTPUTS: &str = "crates/cli/tests/it/outputs.rs";
const UNSAVED: &str = "what_is_paid_for_is_shown_though_it_cannot_be_saved_and_replayed_elsewhere";
const CASES: &str = "crates/cli/tests/it/cases.rs";
const TREE: &str = "crates/client/src/tree.rs";
const LIMITS: &str = "crates/api/tests/it/limits.rs";
const PROBLEMS: &str = "crates/api/tests/it/problems.rs";
const BLOBS: &str = "crates/blobs/tests/it/limits.rs";
const KEPT: &str = "a_kept_mesh_comes_back_whole_and_in_its_own_shape_only";

/// The end of the file's path, words of the hint, and the situation. The first row that fits counts.
pub const ROWS: &[(&str, &str, Situation)] = &[
    ("client/error.rs", "check that it is a MeshX node", Typed("status --node FAKE")),
    (
        "client/error.rs",
        "try again; sending the same",
        Tested("crates/api/tests/it/client.rs", "a_node_that_says_nothing"),
    ),
    ("client/error.rs", "write it like http://", Typed("status --node ftp://x")),
    (
        "client/error.rs",
        "ask another node",
        Tested("crates/api/tests/it/client.rs", "other_content_than_asked_for_is_noticed"),
    ),
    ("client/error.rs", "check the name", Typed("status --node http://nowhere.invalid:1")),
    ("client/error.rs", "start a node with `meshx up`", Typed("status --node http://127.0.0.1:9")),
    (
        "client/error.rs",
        "check the address",
        Tested("crates/api/tests/it/client.rs", "nobody_there"),
    ),
    (
        "client/error.rs",
        "try again",
        Tested("crates/api/tests/it/client.rs", "a_body_that_breaks_off_is_an_error"),
    ),
    (
        "client/events.rs",
        "try again",
        Tested("crates/api/tests/it/client.rs", "a_stream_that_only_repeats_itself_is_given_up"),
    ),
    ("api/src/app.rs", "try again; /v1/status", Tested(LIMITS, "an_answer_that_does_not_come")),
    (
        "api/src/app.rs",
        "wait as long as Retry-After",
        Tested(LIMITS, "a_request_keeps_its_place_until_its_last_byte_is_out"),
    ),
    ("api/src/extract.rs", "add ?chain=EU", Tested(PROBLEMS, "queries_of_the_wrong_form")),
    ("api/src/extract.rs", "larger content is cut", Tested(PROBLEMS, "a_body_that_is_too_long")),
    (
        "routes/txs.rs",
        "send the very same transaction",
        Tested(LIMITS, "a_transaction_that_does_not_become_final"),
    ),
    (
        "routes/txs.rs",
        "send application/octet-stream",
        Tested(PROBLEMS, "a_body_of_a_type_that_is_not_read"),
    ),
    ("routes/mod.rs", "/openapi.json lists them all", Tested(PROBLEMS, "a_path_without_a_route")),
    ("routes/mod.rs", "the header Allow", Tested(PROBLEMS, "a_method_the_route_does_not_have")),
    ("node/src/economy.rs", "try again in a second", Never("the first block of a chain")),
    (
        "node/src/presence.rs",
        "validators can be witnesses",
        Typed("presence list --out period.json"),
    ),
    (
        "node/src/backend.rs",
        "(GET /v1/status) lists its chains",
        Tested(PROBLEMS, "a_chain_that_is_none_or_is_not_here"),
    ),
    ("node/src/backend.rs", "check the id and the network", Typed("job show HASH")),
    (
        "node/src/backend.rs",
        "ask for the account's nonce",
        Tested("crates/client/src/send.rs", "only_who_comes_second_signs_again"),
    ),
    (
        "node/src/backend.rs",
        "it may still become so",
        Never("a transaction that waits for a minute"),
    ),
    (
        "node/src/backend.rs",
        "/why) explains the state",
        Tested("crates/node/tests/it/mesh.rs", "refusals_have_codes_and_move_nothing"),
    ),
    (
        "node/src/backend.rs",
        "a worker appears once",
        Tested("crates/api/tests/it/problems.rs", "things_that_are_not_there"),
    ),
    ("node/src/backend.rs", "try again", Never("a block without a certificate for a minute")),
    ("attester/src/enrol.rs", "attest the parent first", Typed("attest submit --tsm --parent OWN")),
    (
        "attester/src/enrol.rs",
        "it makes one at its first epoch",
        Never("the first epoch of a chain"),
    ),
    (
        "attester/src/source.rs",
        "a machine with a TPM has",
        Typed("attest submit --tpm /nowhere/tpm"),
    ),
    (
        "attester/src/source.rs",
        "check that swtpm listens",
        Typed("attest submit --tpm 127.0.0.1:9"),
    ),
    ("attester/src/source.rs", "join the group that owns it", Typed("attest submit --tpm dealt")),
    ("attester/src/source.rs", "run inside Gramine", Typed("attest submit --gramine")),
    ("attester/src/source.rs", "run inside a TDX or SEV-SNP", Typed("attest submit --tsm")),
    (
        "blobs/src/error.rs",
        "check the disk and the space",
        Tested("crates/blobs/tests/it/damage.rs", "a_file_of_another_length_is_refused"),
    ),
    (
        "blobs/src/error.rs",
        "choose another directory",
        Tested(BLOBS, "a_directory_that_cannot_be_is_explained"),
    ),
    (
        "blobs/src/error.rs",
        "cut it into several blobs",
        Tested(BLOBS, "the_longest_blob_fits_and_one_byte_more_does_not"),
    ),
    (
        "blobs/src/error.rs",
        "fetch it again, from someone else",
        Tested("crates/blobs/tests/it/round_trip.rs", "the_expected_hash_is_enforced"),
    ),
    (
        "blobs/src/error.rs",
        "fetch it again",
        Tested(
            "crates/blobs/tests/it/transfer.rs",
            "a_sender_that_stops_is_told_from_one_that_lies",
        ),
    ),
    (
        "blobs/src/error.rs",
        "fetch it from someone else",
        Tested(
            "crates/blobs/tests/it/transfer.rs",
            "a_flip_anywhere_on_the_wire_stops_the_transfer_there",
        ),
    ),
    (
        "blobs/src/error.rs",
        "fetch or put it again",
        Tested("crates/blobs/tests/it/damage.rs", "putting_again_mends"),
    ),
    (
        "blobs/src/error.rs",
        "fetch or put it first",
        Tested("crates/blobs/tests/it/round_trip.rs", "what_is_removed_is_gone_but_may_be_read_on"),
    ),
    (
        "blobs/src/error.rs",
        "remove blobs or raise",
        Tested(BLOBS, "a_full_store_says_so_and_takes_what_fits"),
    ),
    ("blobs/src/error.rs", "stop the other node", Tested(BLOBS, "one_directory_has_one_store")),
    (
        "blobs/src/error.rs",
        "when the receiver is back",
        Tested("crates/blobs/tests/it/transfer.rs", "a_receiver_that_hangs_up_is_reported"),
    ),
    (
        "blobs/src/error.rs",
        "when the source works",
        Tested("crates/blobs/tests/it/crash.rs", "a_reader_that_fails_leaves_nothing"),
    ),
    ("commands/gov.rs", "meshx gov list shows all", Typed("gov show 99")),
    ("commands/gov.rs", "meshx gov params lists them", Typed("gov propose params no_such_thing=1")),
    ("client/src/find.rs", "an id has 64 hex digits", Typed("job show xyz")),
    ("client/src/find.rs", "meshx job list shows the newest", Typed("job show 0123456789")),
    (
        "client/src/find.rs",
        "type more of the id",
        Tested("crates/client/src/find.rs", "the_only_job_that_begins_so_is_meant"),
    ),
    (
        "commands/lab.rs",
        "cargo build --release",
        Tested(
            "crates/cli/tests/it/lab.rs",
            "the_lab_is_looked_for_on_the_path_and_missed_with_a_hint",
        ),
    ),
    (
        "commands/network.rs",
        "name a node of it that runs now",
        Typed("network use http://127.0.0.1:9"),
    ),
    ("node/mod.rs", "--onion lets edges come", Typed("node start --dir net/node-0 --tor")),
    ("node/mod.rs", "add --network ID and --join", Typed("node start --dir edge")),
    (
        "node/mod.rs",
        "make keys with meshx node init",
        Typed("node start --role validator --dir edge"),
    ),
    (
        "node/mod.rs",
        "name one address for each process",
        Typed("node init --nodes 2 --hosts 127.0.0.1 --dir two"),
    ),
    (
        "node/mod.rs",
        "start two processes",
        Typed("node start --dir net/node-0 --role edge --role validator"),
    ),
    (
        "node/news.rs",
        "check the address of --join",
        Stays(
            "node start --role edge --dir lonely --network HASH --join PEER --api 127.0.0.1:0 --no-port-mapping",
        ),
    ),
    (
        "node/news.rs",
        "{amount}, or on a development",
        Tested("crates/cli/tests/it/edges.rs", "edges_that_know_one_address_run_jobs_for_pay"),
    ),
    (
        "commands/provide.rs",
        "name a node that does",
        Tested(
            "crates/cli/tests/it/edges.rs",
            "a_provider_joins_the_mesh_of_this_machine_with_one_command",
        ),
    ),
    (
        "node/src/mesh.rs",
        "choose another address for them",
        Typed("up --listen 127.0.0.1:0 --edges LISTEN --validators 1 --latency none"),
    ),
    ("node/peers.rs", "check that a node runs", Typed("peers --dir nowhere")),
    ("node/peers.rs", "start it with --metrics", Typed("peers --dir plain --find x")),
    ("presence/prove.rs", "it needs nodes.csv", Typed("presence deal --network nowhere --dir d")),
    (
        "presence/prove.rs",
        "meshx stake announce",
        Tested(
            "crates/cli/tests/it/presence.rs",
            "who_stands_there_is_certified_and_who_does_not_is_refused_with_the_land",
        ),
    ),
    ("commands/replay.rs", "its BLAKE3 must be", Typed("replay r.mxr --module ANOTHER")),
    ("commands/replay.rs", "name it with --", Typed("XDG_CACHE_HOME=empty replay r.mxr")),
    ("commands/replay.rs", "name the job's files", Tested(OUTPUTS, UNSAVED)),
    ("commands/run.rs", "saves its files", Tested(OUTPUTS, UNSAVED)),
    (
        "commands/run.rs",
        "saves its receipt",
        Never(
            "whether it can be written is asked before anything is paid; only a disk that fills up meanwhile is left",
        ),
    ),
    (
        "commands/run.rs",
        "FILE saves it later",
        Typed("run --no-input --detach --receipt d.mxr good.wat"),
    ),
    ("commands/run.rs", "FILE saves it", Typed("XDG_DATA_HOME=good.wat run --no-input good.wat")),
    (
        "commands/run.rs",
        "once a node of the network answers",
        Tested("crates/cli/src/commands/run.rs", "a_job_is_not_lost_with_the_sight_of_it"),
    ),
    ("commands/job.rs", "tells how it ended or is going", Typed("job cancel JOB")),
    (
        "talk/src/lib.rs",
        "is not complete",
        Tested(OUTPUTS, "a_full_disk_behind_stdout_is_a_failure"),
    ),
    (
        "client/src/accept.rs",
        "ask for fewer with --replicas",
        Typed("run --replicas 9 --agree 5 good.wat"),
    ),
    (
        "commands/run.rs",
        "tells how far it is",
        Typed("run --no-input --detach --fresh --chain AS good.wat"),
    ),
    (
        "commands/run.rs",
        "meshx up starts one",
        Typed("offline XDG_STATE_HOME=empty run --no-input --detach good.wat"),
    ),
    (
        "commands/run.rs",
        "names the workers and rules",
        Tested("crates/cli/tests/it/failures.rs", "each_kind_of_failed_job_is_explained"),
    ),
    (
        "talk/src/bytes.rs",
        "show them with --raw",
        Tested("crates/talk/src/bytes.rs", "a_terminal_is_not_sent_what_would_upset_it"),
    ),
    (
        "commands/stake.rs",
        "meshx stake validators lists all",
        Typed("stake claim meshx1qqqqqqqqqq"),
    ),
    (
        "commands/stake.rs",
        "type more of the address",
        Tested("crates/cli/src/commands/stake.rs", "the_only_validator_that_begins_so_is_meant"),
    ),
    ("commands/stake.rs", "meshx stake equivocations", Typed("stake report good.wat")),
    (
        "commands/supply.rs",
        "years are counted from genesis",
        Typed("supply --year 999999999999999999"),
    ),
    (
        "commands/verify.rs",
        "all its signatures hold",
        Typed("XDG_CONFIG_HOME=empty XDG_STATE_HOME=empty verify r.mxr"),
    ),
    ("commands/wallet.rs", "--wallet FILE shows your own", Typed("wallet show")),
    (
        "cli/src/network.rs",
        "its terminal shows why",
        Typed("offline XDG_STATE_HOME=starting status"),
    ),
    (
        "cli/src/network.rs",
        "meshx network use local forgets",
        Typed("offline XDG_CONFIG_HOME=gone status"),
    ),
    ("cli/src/network.rs", "chooses it again", Typed("offline XDG_CONFIG_HOME=other status")),
    (
        "cli/src/network.rs",
        "meshx up starts a local network",
        Typed("offline XDG_STATE_HOME=empty status"),
    ),
    (
        "cli/src/network.rs",
        "stop that process and start meshx up",
        Typed("offline XDG_STATE_HOME=silent status"),
    ),
    (
        "cli/src/network.rs",
        "try meshx up --validators 1",
        Never("a start that takes more than 90 seconds"),
    ),
    ("cli/src/request.rs", "give large data as several", Never("it takes 96 MiB on stdin")),
    ("cli/src/request.rs", "--file NAME=PATH", Typed("run --no-input --file x good.wat")),
    ("cli/src/request.rs", "Ctrl-D ends it", Stays("run good.wat")),
    ("cli/src/settings.rs", "it may set node, chain", Typed("XDG_CONFIG_HOME=misspelt status")),
    ("cli/src/user.rs", "--wallet FILE names your own", Typed("MESHX_PASSPHRASE=p wallet show")),
    (
        "cli/src/user.rs",
        "meshx wallet new makes one at",
        Tested("crates/cli/src/user.rs", "who_has_no_wallet_is_told_how_to_make_one"),
    ),
    ("cli/src/user.rs", "meshx wallet new makes one", Typed("wallet show --wallet nowhere")),
    ("cli/src/user.rs", "empty, it leaves the file open", Typed("wallet new --wallet w3")),
    ("cli/src/user.rs", "set MESHX_PASSPHRASE", Typed("wallet show --wallet w")),
    (
        "cli/src/watch.rs",
        "takes it back until workers",
        Interrupted("run --no-input --chain AF --fuel 60000000001 spin.wat"),
    ),
    ("client/src/accept.rs", "a usual one is 1200", Typed("run --no-input --deadline 5 good.wat")),
    ("client/src/accept.rs", "change", Typed("run --no-input --replicas 0 good.wat")),
    (
        "client/src/check.rs",
        "ask another node",
        Tested("crates/client/src/check.rs", "other_bytes_than_the_chain_settled_on_are_refused"),
    ),
    (
        "client/src/dry_run.rs",
        "raise --wall; a job killed",
        Typed("quote --no-input --wall 1 --fuel 166000000 lists.wat"),
    ),
    (
        "client/src/errand.rs",
        "ask again with meshx job show",
        Tested(
            "crates/client/src/errand.rs",
            "a_job_goes_from_the_first_question_to_being_followed",
        ),
    ),
    ("client/src/fetch.rs", "tells how far it is", Typed("job output RUNNING")),
    (
        "client/src/fetch.rs",
        "explains it",
        Tested(
            "crates/client/src/fetch.rs",
            "a_job_that_goes_on_is_told_from_one_without_a_result",
        ),
    ),
    (
        "client/src/files.rs",
        "check the name and who may read it",
        Typed("run --no-input nowhere.wasm"),
    ),
    ("client/src/files.rs", "name a file; what comes out", Typed("run --input /dev/zero good.wat")),
    ("client/src/files.rs", "give large data as several", Typed("run --input long good.wat")),
    (
        "client/src/submit.rs",
        "lower --fuel, --memory",
        Tested(
            "crates/client/src/submit.rs",
            "an_account_that_cannot_pay_is_told_before_it_pays_a_fee",
        ),
    ),
    (
        "client/src/stake.rs",
        "meshx stake show lists",
        Tested("crates/client/src/stake.rs", "what_is_not_free_is_not_asked_for"),
    ),
    ("src/tree.rs", "check the name", Typed("run --no-input --dir nowhere good.wat")),
    (
        "client/src/files.rs",
        "choose a place you may write to",
        Typed("job receipt JOB /proc/nowhere/r.mxr"),
    ),
    ("client/src/home.rs", "set HOME", Typed("HOME= status")),
    (
        "client/src/price.rs",
        "lower --fuel or --memory",
        Never("no network lets a job ask for that much of anything"),
    ),
    ("client/src/request.rs", "raise --memory", Typed("run --no-input big.wat")),
    (
        "client/src/request.rs",
        "use the version of meshx that made",
        Tested("crates/client/src/request.rs", "a_job_of_another_profile_is_not_run_again"),
    ),
    (
        "client/src/story.rs",
        "",
        Tested("crates/cli/tests/it/failures.rs", "each_kind_of_failed_job_is_explained"),
    ),
    (
        "client/src/wallet.rs",
        "name another file with --wallet",
        Typed("MESHX_PASSPHRASE=p wallet new --wallet w"),
    ),
    (
        "crypto/src/bad_signature.rs",
        "",
        Tested("crates/crypto/src/signature.rs", "messages_say_what_to_try"),
    ),
    ("keystore/kdf.rs", "", Tested("crates/crypto/src/keystore/kdf.rs", "bounds_are_inclusive")),
    (
        "keystore/mod.rs",
        "check the path; a keystore",
        Typed("MESHX_PASSPHRASE=p wallet show --wallet good.wat"),
    ),
    ("keystore/mod.rs", "close other programs", Never("a machine without memory")),
    (
        "keystore/mod.rs",
        "restore it from a backup",
        Typed("MESHX_PASSPHRASE=p wallet show --wallet cut"),
    ),
    (
        "keystore/mod.rs",
        "seal a key",
        Tested("crates/crypto/tests/it/keystore.rs", "a_secret_too_long_is_refused"),
    ),
    (
        "keystore/mod.rs",
        "try again; if you are sure",
        Typed("MESHX_PASSPHRASE=wrong wallet show --wallet w"),
    ),
    (
        "keystore/mod.rs",
        "update meshx",
        Tested("crates/crypto/src/keystore/format.rs", "garbage_is_refused_without_panic"),
    ),
    (
        "crypto/src/mnemonic.rs",
        "16 bytes give 12 words",
        Tested("crates/crypto/src/mnemonic.rs", "says_which_word_is_wrong"),
    ),
    (
        "crypto/src/mnemonic.rs",
        "check its spelling",
        Fed(
            "wallet import --wallet w4",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abuot",
        ),
    ),
    (
        "crypto/src/mnemonic.rs",
        "look for a word left out",
        Fed("wallet import --wallet w4", "abandon abandon about"),
    ),
    (
        "crypto/src/mnemonic.rs",
        "two words may be swapped",
        Fed(
            "wallet import --wallet w4",
            "about abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon",
        ),
    ),
    (
        "crypto/src/sealing.rs",
        "it was sealed to another key",
        Tested(
            "crates/crypto/src/sealing.rs",
            "what_is_sealed_opens_once_for_all_that_is_the_same",
        ),
    ),
    (
        "crypto/src/sealing.rs",
        "such a key has 1,216 bytes",
        Tested("crates/crypto/src/sealing.rs", "keys_that_are_none_are_refused"),
    ),
    (
        "edge/src/known.rs",
        "move the file away",
        Typed("node start --role relay --dir stranger --network HASH --join PEER"),
    ),
    (
        "edge/src/meeting.rs",
        "add --join ADDRESS",
        Typed("node start --role edge --dir edge --network HASH"),
    ),
    (
        "edge/src/role.rs",
        "with --api",
        Typed(
            "node start --role edge --dir edge --network HASH --join PEER --api LISTEN --no-port-mapping",
        ),
    ),
    ("edge/src/watch.rs", "check that the node still runs", Typed("peers --dir dead --find x")),
    (
        "edge/src/watch.rs",
        "choose another --metrics",
        Typed(
            "node start --role edge --dir edge2 --network HASH --join PEER --api 127.0.0.1:0 --metrics LISTEN --no-port-mapping",
        ),
    ),
    (
        "ik/handshake.rs",
        "",
        Tested(
            "crates/network/tests/it/handshake.rs",
            "another_key_another_network_and_another_suite_do_not_open",
        ),
    ),
    ("node/src/folder.rs", "check its owner", Typed("up --data /proc/meshx --listen 127.0.0.1:0")),
    ("node/src/folder.rs", "make room", Never("a disk that is full; cargo xtask torture has one")),
    (
        "node/src/folder.rs",
        "stop that process",
        Typed("node start --role relay --dir held --network HASH --join PEER"),
    ),
    (
        "node/src/folder.rs",
        "use the version of meshx that wrote it",
        Typed("node start --role relay --dir old --network HASH --join PEER"),
    ),
    ("node/src/gateway.rs", "stop what listens there", Typed("node start --dir net/node-0")),
    (
        "node/src/economy.rs",
        "the development wallet has money",
        Tested(
            "crates/cli/tests/it/nodes.rs",
            "a_network_of_nodes_without_a_faucet_names_the_wallet",
        ),
    ),
    (
        "node/src/economy.rs",
        "ask somebody who has MESHX",
        Never("a network that nobody has dealt in one process"),
    ),
    (
        "measuring/mistake.rs",
        "--place is LATITUDE",
        Typed("presence prove --list dealt/list.json --key k --place 0,-150"),
    ),
    (
        "measuring/mistake.rs",
        "expected 64 hex digits",
        Typed("presence prove --list dealt/list.json --key good.wat --place 48,7"),
    ),
    (
        "measuring/mistake.rs",
        "ids and names are in the nodes.csv",
        Typed(
            "presence prove --list dealt/list.json --key k --place 50.11,8.68 --simulate-from nobody",
        ),
    ),
    (
        "measuring/mistake.rs",
        "meshx presence deal makes one",
        Typed("presence verify r.mxr --list good.wat"),
    ),
    (
        "measuring/mistake.rs",
        "meshx presence prove makes one",
        Typed("presence verify good.wat --list dealt/list.json"),
    ),
    ("measuring/mistake.rs", "try again in a few seconds", Never("the first blocks of a period")),
    ("node/src/mesh.rs", "bring it back from a copy", Tested("crates/node/src/mesh.rs", KEPT)),
    ("node/src/mesh.rs", "name one with --listen", Typed("up --listen 8.8.8.8:1234")),
    ("node/src/mesh.rs", "use the same options", Tested("crates/node/src/mesh.rs", KEPT)),
    ("node/src/mesh.rs", "use the version that wrote it", Tested("crates/node/src/mesh.rs", KEPT)),
    (
        "node/src/mesh.rs",
        "choose another --data folder",
        Typed("up --data junk --listen 127.0.0.1:0"),
    ),
    ("node/src/mesh.rs", "set TMPDIR", Never("a machine without any folder for passing files")),
    ("node/src/mesh.rs", "choose another address with --listen", Typed("up --listen LISTEN")),
    ("node/src/mesh.rs", "try fewer --validators", Never("a start that takes more than a minute")),
    (
        "overlay/src/address.rs",
        "an address looks like",
        Typed("node start --role relay --dir edge --network HASH --join nonsense"),
    ),
    (
        "overlay/src/address.rs",
        "add /p2p/",
        Typed("node start --role relay --dir edge --network HASH --join /ip4/127.0.0.1/tcp/1"),
    ),
    (
        "overlay/src/address.rs",
        "MeshX ids begin with",
        Tested("crates/overlay/tests/it/reach.rs", "an_address_without_an_identity_is_no_address"),
    ),
    (
        "overlay/src/bootstrap.rs",
        "if you trust that key",
        Tested(
            "crates/cli/tests/it/edges.rs",
            "a_node_begins_with_a_signed_list_and_comes_back_without_it",
        ),
    ),
    ("nat/stun.rs", "write it like stun.example.org", Typed("doctor --stun nonsense --port 0")),
    ("talk/src/lib.rs", "write MESHX_LOG=info", Typed("MESHX_LOG=[[ supply")),
    (
        "lab/src/located.rs",
        "",
        Tested("lab/tests/it/presence.rs", "what_is_no_network_or_no_part_is_refused"),
    ),
    (
        "lab/src/presence.rs",
        "",
        Tested("lab/tests/it/presence.rs", "what_is_no_network_or_no_part_is_refused"),
    ),
    ("lab/src/sybil.rs", "", Tested("lab/tests/it/presence.rs", "one_more_vote_has_its_price")),
    (
        "src/tree.rs",
        "copy what it stands for",
        Tested(OUTPUTS, "a_folder_with_a_link_in_it_is_refused_before_anything_is_paid"),
    ),
    ("src/tree.rs", "rename it", Tested(TREE, "links_and_odd_names_are_refused_by_name")),
    ("src/tree.rs", "pack them into one file", Tested(TREE, "bounds_hold")),
    ("src/tree.rs", "give the job less", Tested(TREE, "bounds_hold")),
    (
        "client/src/outputs.rs",
        "name a new folder",
        Tested(OUTPUTS, "what_a_job_leaves_is_saved_listed_and_proved"),
    ),
    (
        "client/src/outputs.rs",
        "remove it, or name",
        Tested("crates/client/src/outputs.rs", "a_link_leads_nothing_out_of_the_folder"),
    ),
    (
        "client/src/fetch.rs",
        "ask another node",
        Tested("crates/types/src/outputs.rs", "other_bytes_are_no_list"),
    ),
    (
        "client/src/request.rs",
        "give large data as several files",
        Never("it takes a file of 96 MiB"),
    ),
    (
        "client/src/request.rs",
        "--env NAME=VALUE",
        Tested(CASES, "what_no_program_could_make_sense_of_is_refused_before_anything_is_paid"),
    ),
    (
        "cli/src/outputs.rs",
        "saves them",
        Tested(OUTPUTS, "what_a_job_leaves_is_saved_listed_and_proved"),
    ),
    (
        "commands/job.rs",
        "prints its stdout",
        Tested(OUTPUTS, "what_a_job_leaves_is_saved_listed_and_proved"),
    ),
    (
        "commands/run.rs",
        "saves them later",
        Tested(CASES, "what_no_program_could_make_sense_of_is_refused_before_anything_is_paid"),
    ),
    (
        "commands/verify.rs",
        "nothing else may be in the folder",
        Tested(OUTPUTS, "what_a_job_leaves_is_saved_listed_and_proved"),
    ),
];
