//! What is read from folders and from peers: latency measurements, blobs on their way.

use blobs::Store;
use network::Latency;
use std::{cell::RefCell, path::Path};
use tempfile::TempDir;
use types::{ChainId, Hash};

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("there is a disk");
    static STORE: RefCell<(TempDir, Store)> = RefCell::new(new_store());
}

fn new_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("there is a disk");
    let store = Store::open(folder.path()).expect("an empty folder is a store");
    (folder, store)
}

/// `nodes.csv`, a zero byte, `rtt.csv`.
pub(crate) fn latency(input: &[u8]) {
    let (nodes, trips) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    FOLDER.with(|folder| {
        let write =
            |name, bytes| std::fs::write(folder.path().join(name), bytes).expect("there is a disk");
        write("nodes.csv", nodes);
        write("rtt.csv", trips);
        use_latency(folder.path());
    });
}

fn use_latency(folder: &Path) {
    let Ok(latency) = Latency::from_folder(folder) else { return };
    for chain in ChainId::ALL {
        let (a, b) = (latency.place_of(chain, 0), latency.place_of(chain, 7));
        let delay = latency.one_way(&a, &b);
        assert_eq!(delay, latency.one_way(&b, &a), "as far there as back");
        assert!(delay.as_secs() < 60, "the mesh would stop: {delay:?} from {a:?} to {b:?}");
    }
}

/// A peer's bytes for the blob named by the first 32.
pub(crate) fn blob(input: &[u8]) {
    let Some((name, wire)) = input.split_first_chunk::<32>() else { return };
    let hash = Hash(*name);
    STORE.with_borrow_mut(|(_, store)| {
        let before = store.bytes_used();
        let Ok(blob) = store.put_encoded(hash, wire) else {
            assert_eq!(store.bytes_used(), before, "a refused blob leaves nothing behind");
            assert!(!store.contains(hash));
            return;
        };
        let content = store.get(hash).expect("it was put");
        assert_eq!((Hash::of_content(&content), content.len() as u64), (hash, blob.len));
        let mut again = vec![];
        store.encode(hash, &mut again).expect("it was put");
        assert_eq!(again, wire[..again.len()], "an encoding has one form");
        store.remove(hash).expect("it was put");
    });
}
