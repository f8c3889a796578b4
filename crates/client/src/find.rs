//! A job by its id, or by the first characters of it.

use api::{Client, ClientError, JobView, JobsQuery};

/// The fewest characters of an id that are taken for it.
pub const ID_CHARS_MIN: usize = 8;
/// Jobs that are asked for at once.
const PAGE: usize = 100;

/// Why no job is meant.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotFound {
    #[error(
        "{typed:?} {wrong} the id of a job\nhint: an id has 64 hex digits; its first {ID_CHARS_MIN} or more will do"
    )]
    NoId { typed: String, wrong: &'static str },
    #[error(
        "no job that this node has seen begins with {0}\nhint: meshx job list shows the newest; an older one is found by its whole id"
    )]
    Unknown(String),
    #[error("several jobs begin with {0}\nhint: type more of the id")]
    Several(String),
    #[error(transparent)]
    Node(#[from] ClientError),
}

/// The job with this id, or the only one among the node's newest that begins so.
///
/// # Errors
/// [`NotFound`].
pub fn find_job(client: &Client, typed: &str) -> Result<JobView, NotFound> {
    if let Ok(id) = typed.parse() {
        return Ok(client.job(None, id)?);
    }
    let begins = beginning(typed)?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = client.jobs(&JobsQuery { limit: PAGE, cursor, ..JobsQuery::default() })?;
        found.extend(
            page.items.into_iter().filter(|view| view.job.to_string().starts_with(&begins)),
        );
        cursor = page.next;
        if cursor.is_none() || found.len() > 1 {
            break;
        }
    }
    only(found, typed)
}

/// What an id begins with, as ids are written.
fn beginning(typed: &str) -> Result<String, NotFound> {
    let is_hex = typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wrong = match typed.len() {
        _ if !is_hex => "is not",
        0..ID_CHARS_MIN => "is too short for",
        _ => return Ok(typed.to_ascii_lowercase()),
    };
    Err(NotFound::NoId { typed: typed.chars().take(80).collect(), wrong })
}

/// The one that was found.
fn only<T>(mut found: Vec<T>, typed: &str) -> Result<T, NotFound> {
    match (found.pop(), found.is_empty()) {
        (Some(found), true) => Ok(found),
        (None, _) => Err(NotFound::Unknown(typed.to_owned())),
        (Some(_), false) => Err(NotFound::Several(typed.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_job_that_begins_so_is_meant() {
        assert_eq!(only(vec![7], "ab").unwrap(), 7);
        let refused = |found: Vec<u8>| only(found, "ab").unwrap_err().to_string();
        assert!(refused(vec![]).contains("hint: meshx job list"));
        assert!(refused(vec![1, 2]).contains("hint: type more of the id"));
    }

    #[test]
    fn what_begins_no_id_is_told_from_what_is_too_short() {
        assert_eq!(beginning("ABCDEF01").unwrap(), "abcdef01");
        let refused = |typed: &str| beginning(typed).unwrap_err().to_string();
        assert!(refused("fdb9").starts_with("\"fdb9\" is too short for the id of a job"));
        assert!(refused("last-one").starts_with("\"last-one\" is not the id of a job"));
    }
}
