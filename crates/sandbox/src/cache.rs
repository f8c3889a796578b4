//! Compiled modules, kept for the next job: a bounded list, most recently used first.

use crate::refused::Refused;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use types::{Float, Hash};

/// What a compiled module is known by. Only our own compiler fills the cache.
type Key = (Hash, Float);
type Entry<T> = Arc<OnceLock<Result<Arc<T>, Refused>>>;

pub(crate) struct Cache<T> {
    entries: Mutex<Vec<(Key, Entry<T>)>>,
    entries_max: usize,
}

impl<T> Cache<T> {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries: Mutex::default(), entries_max }
    }

    /// The value of `key`, made by `make` if it is not here. Others that ask meanwhile wait for it.
    /// A refusal is not kept: a flood of bad modules pushes no good one out.
    pub(crate) fn get(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<Arc<T>, Refused> {
        let entry = self.touch(key);
        let value = entry.get_or_init(|| make().map(Arc::new)).clone();
        match value {
            Ok(_) => self.shrink(),
            Err(_) => self.lock().retain(|(_, other)| !Arc::ptr_eq(other, &entry)),
        }
        value
    }

    fn touch(&self, key: Key) -> Entry<T> {
        let mut entries = self.lock();
        let entry = match entries.iter().position(|(other, _)| *other == key) {
            Some(0) => return Arc::clone(&entries[0].1),
            Some(place) => entries.remove(place).1,
            None => Entry::default(),
        };
        entries.insert(0, (key, Arc::clone(&entry)));
        entry
    }

    /// Forget what was longest unused, but nothing that is still being made.
    fn shrink(&self) {
        let mut entries = self.lock();
        while entries.len() > self.entries_max {
            let Some(oldest) = entries.iter().rposition(|(_, entry)| entry.get().is_some()) else {
                return;
            };
            entries.remove(oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Key, Entry<T>)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn keeps_what_was_used_last() {
        let cache = Cache::new(2);
        let made = Cell::new(0);
        let get = |name: u8| {
            let value = cache.get((Hash([name; 32]), Float::Strict), || {
                made.set(made.get() + 1);
                Ok(name)
            });
            assert_eq!(*value.unwrap(), name);
            made.get()
        };
        assert_eq!([get(1), get(2), get(1), get(3)], [1, 2, 2, 3]);
        assert_eq!(get(1), 3, "1 was used after 2");
        assert_eq!(get(2), 4, "2 made room for 3");
    }

    #[test]
    fn keeps_no_refusal() {
        let cache = Cache::new(1);
        let key = (Hash([1; 32]), Float::Strict);
        let bad = || Err(Refused::BadConfig("test"));
        assert!(cache.get(key, bad).is_err());
        assert_eq!(*cache.get(key, || Ok(7)).unwrap(), 7);
        assert!(cache.get((Hash([2; 32]), Float::Strict), bad).is_err());
        assert_eq!(*cache.get(key, || unreachable!("it is still here")).unwrap(), 7);
    }
}
