//! What a program learns of its own start: arguments, environment, randomness.

use super::errno::{Errno, Fail};
use crate::call::{Call, at};
use types::Hash;

type Answer = Result<(), Fail>;

/// The program's name, argument 0 of every job.
const NAME: &str = "job";

/// Random bytes that every worker draws alike.
pub(crate) struct Random {
    seed: Hash,
    reader: Option<blake3::OutputReader>,
}

impl Random {
    pub(crate) fn seeded(seed: Hash) -> Self {
        Self { seed, reader: None }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        let seed = self.seed;
        self.reader
            .get_or_insert_with(|| {
                blake3::Hasher::new_derive_key("meshx/job-random/v1").update(&seed.0).finalize_xof()
            })
            .fill(bytes);
    }
}

pub(super) fn args_sizes_get(call: &mut Call<'_>, count: u32, len: u32) -> Answer {
    let loan = call.state.loan;
    sizes(call, std::iter::once(&NAME).chain(loan.job().args), count, len)
}

pub(super) fn args_get(call: &mut Call<'_>, pointers: u32, bytes: u32) -> Answer {
    let loan = call.state.loan;
    list(call, std::iter::once(&NAME).chain(loan.job().args), pointers, bytes)
}

pub(super) fn environ_sizes_get(call: &mut Call<'_>, count: u32, len: u32) -> Answer {
    let loan = call.state.loan;
    sizes(call, loan.job().env.iter(), count, len)
}

pub(super) fn environ_get(call: &mut Call<'_>, pointers: u32, bytes: u32) -> Answer {
    let loan = call.state.loan;
    list(call, loan.job().env.iter(), pointers, bytes)
}

pub(super) fn random_get(call: &mut Call<'_>, pointer: u32, len: u32) -> Answer {
    let place = call.pay_for::<Fail>(pointer, len)?;
    let Call { memory, state, .. } = call;
    state.random.fill(&mut memory[place]);
    Ok(())
}

pub(super) fn sched_yield(_: &mut Call<'_>) -> Answer {
    Ok(())
}

pub(super) fn proc_raise(_: &mut Call<'_>, signal: u32) -> Answer {
    Err(if signal > 30 { Fail::BAD_ARGUMENT } else { Errno::Notsup.into() })
}

pub(super) fn sock_accept(call: &mut Call<'_>, fd: u32, _: u32, _: u32) -> Answer {
    no_socket(call, fd)
}

pub(super) fn sock_recv(
    call: &mut Call<'_>,
    fd: u32,
    _: u32,
    _: u32,
    _: u32,
    _: u32,
    _: u32,
) -> Answer {
    no_socket(call, fd)
}

pub(super) fn sock_send(call: &mut Call<'_>, fd: u32, _: u32, _: u32, _: u32, _: u32) -> Answer {
    no_socket(call, fd)
}

pub(super) fn sock_shutdown(call: &mut Call<'_>, fd: u32, _: u32) -> Answer {
    no_socket(call, fd)
}

fn no_socket(call: &mut Call<'_>, fd: u32) -> Answer {
    call.state.descriptors.get(fd)?;
    Err(Errno::Notsock.into())
}

fn sizes<'a>(
    call: &mut Call<'_>,
    texts: impl Iterator<Item = &'a &'a str>,
    count_at: u32,
    len_at: u32,
) -> Answer {
    let (count, len) =
        texts.fold((0u32, 0u64), |(count, len), text| (count + 1, len + text.len() as u64 + 1));
    call.write_u32(count_at, count)?;
    Ok(call.write_u32(len_at, u32::try_from(len).map_err(|_| Errno::Overflow)?)?)
}

/// Write each text, ended by a zero byte, at `bytes`, and where it is at `pointers`.
fn list<'a>(
    call: &mut Call<'_>,
    texts: impl Iterator<Item = &'a &'a str>,
    mut pointers: u32,
    mut bytes: u32,
) -> Answer {
    for text in texts {
        call.charge_bytes(text.len() + 5)?;
        call.write_u32(pointers, bytes)?;
        pointers = at(pointers, 4)?;
        call.write(bytes, text.as_bytes())?;
        bytes = at(bytes, text.len() as u32)?;
        call.write(bytes, &[0])?;
        bytes = at(bytes, 1)?;
    }
    Ok(())
}
