//! What the bytes of a noun are, as data: for schemas, vectors and other languages, which read it instead of retyping it.
//!
//! `#[derive(Wire)]` makes the description of a noun from its declaration. It is a constant: a program that never asks for
//! [`Wire::TYPE`] does not contain it. `cargo xtask codegen` writes schemas and vectors from it, and tests hold it against
//! what the codec and serde really write.
//!
//! ```
//! use types::{describe::{Shape, Type, Wire}, Agreement};
//! let Type::Noun(noun) = Agreement::TYPE else { panic!("a noun") };
//! let Shape::Struct(fields) = noun.shape else { panic!("a struct") };
//! assert_eq!(fields.iter().map(|field| field.name).collect::<Vec<_>>(), ["replicas", "agree"]);
//! ```

use crate::codec::{Bytes, List, Text};

/// A type that has one byte form, and says which.
pub trait Wire {
    /// Its description.
    const TYPE: Type;
}

/// What stands in a place of the wire.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// One byte, 0 or 1.
    Bool,
    /// A number in big-endian order.
    Number {
        /// How many bytes.
        bytes: u8,
        /// Whether in two's complement.
        signed: bool,
    },
    /// Bytes without a length before them. JSON: lowercase hex.
    Array {
        /// How many.
        bytes: usize,
    },
    /// The length as a varint, then so many bytes. JSON: lowercase hex.
    Bytes {
        /// Most bytes.
        max: usize,
    },
    /// The same with UTF-8 in it. JSON: the text.
    Text {
        /// Most bytes.
        max: usize,
    },
    /// A byte 0 and nothing, or a byte 1 and the item. JSON: null or the item.
    Option(&'static Type),
    /// How many there are as a varint, then the items.
    List {
        /// What each is.
        item: &'static Type,
        /// Most items.
        max: usize,
    },
    /// A type with a name.
    Noun(&'static Noun),
}

/// A type with a name.
#[derive(Clone, Copy, Debug)]
pub struct Noun {
    /// As the API and other languages call it.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What it is made of.
    pub shape: Shape,
}

/// What a noun is made of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A number with a meaning, such as a height. JSON: the number.
    Number(Type),
    /// Bytes of a fixed length that people read as text.
    Text {
        /// How many bytes.
        bytes: usize,
        /// A regular expression that the text matches.
        pattern: &'static str,
        /// One such text, or nothing.
        example: &'static str,
    },
    /// The fields, one after the other. JSON: an object.
    Struct(&'static [Field]),
    /// The variant's tag as a byte, then its content.
    Enum {
        /// The property that names the variant in JSON, among those of the content. `None`: a variant without content is its
        /// name, another is an object with one property, the name, that holds the content.
        tag: Option<&'static str>,
        /// In the order declared.
        variants: &'static [Variant],
    },
}

/// A field of a struct or of a variant.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// In Rust and in JSON.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What stands in it.
    pub of: Type,
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// In JSON.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The byte that stands for it.
    pub tag: u8,
    /// What follows that byte.
    pub content: Content,
}

/// What a variant holds.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// Nothing.
    None,
    /// One item without a name.
    Item(Type),
    /// Fields, one after the other.
    Fields(&'static [Field]),
}

macro_rules! number {
    ($($name:ident: $signed:literal),*) => { $(
        impl Wire for $name {
            const TYPE: Type = Type::Number { bytes: ($name::BITS / 8) as u8, signed: $signed };
        }
    )* };
}
number!(u8: false, u16: false, u32: false, u64: false, u128: false, i32: true);

impl Wire for bool {
    const TYPE: Type = Type::Bool;
}
impl<const BYTES: usize> Wire for [u8; BYTES] {
    const TYPE: Type = Type::Array { bytes: BYTES };
}
impl<const MAX: usize> Wire for Bytes<MAX> {
    const TYPE: Type = Type::Bytes { max: MAX };
}
impl<const MAX: usize> Wire for Text<MAX> {
    const TYPE: Type = Type::Text { max: MAX };
}
impl<T: Wire> Wire for Option<T> {
    const TYPE: Type = Type::Option(&T::TYPE);
}
impl<T: Wire, const MAX: usize> Wire for List<T, MAX> {
    const TYPE: Type = Type::List { item: &T::TYPE, max: MAX };
}

/// Describe a noun whose bytes are written by hand: a number, or bytes of a fixed length that people read as text.
macro_rules! scalar {
    ($of:ty, $name:expr, $doc:literal, $shape:expr) => {
        impl $crate::describe::Wire for $of {
            const TYPE: $crate::describe::Type = {
                const NOUN: $crate::describe::Noun =
                    $crate::describe::Noun { name: $name, doc: $doc, shape: $shape };
                $crate::describe::Type::Noun(&NOUN)
            };
        }
    };
}
pub(crate) use scalar;
