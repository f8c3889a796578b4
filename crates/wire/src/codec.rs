//! The bytes: `Write`, `EncodeSize` and `Read`.

use crate::noun::{Body, Field, Noun, Variant};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Member;

pub fn expand(noun: &Noun) -> TokenStream {
    let ident = &noun.ident;
    let (write, size, read) = match &noun.body {
        Body::Struct(fields) => of_struct(fields),
        Body::Enum { variants, .. } => of_enum(variants),
    };
    quote! {
        impl ::types::codec::Write for #ident {
            fn write(&self, buf: &mut impl ::types::codec::BufMut) { #write }
        }
        impl ::types::codec::EncodeSize for #ident {
            fn encode_size(&self) -> usize { #size }
        }
        impl ::types::codec::Read for #ident {
            type Cfg = ();
            fn read_cfg(buf: &mut impl ::types::codec::Buf, _: &()) -> ::core::result::Result<Self, ::types::codec::Error> {
                #read
            }
        }
    }
}

fn of_struct(fields: &[Field]) -> (TokenStream, TokenStream, TokenStream) {
    let members: Vec<&Member> = fields.iter().map(|field| &field.member).collect();
    (
        quote! { #( ::types::codec::Write::write(&self.#members, buf); )* },
        quote! { 0 #( + ::types::codec::EncodeSize::encode_size(&self.#members) )* },
        quote! { Ok(Self { #( #members: ::types::codec::ReadExt::read(buf)? ),* }) },
    )
}

fn of_enum(variants: &[Variant]) -> (TokenStream, TokenStream, TokenStream) {
    let (mut write, mut size, mut read) = (vec![], vec![], vec![]);
    for Variant { ident, tag, fields, .. } in variants {
        let members: Vec<&Member> = fields.iter().map(|field| &field.member).collect();
        // Names of our own, because a field may be called `buf`.
        let held: Vec<Ident> =
            (0..members.len()).map(|index| format_ident!("held_{index}")).collect();
        write.push(quote! {
            Self::#ident { #( #members: #held ),* } => {
                ::types::codec::BufMut::put_u8(buf, #tag);
                #( ::types::codec::Write::write(#held, buf); )*
            }
        });
        size.push(quote! {
            Self::#ident { #( #members: #held ),* } => 0 #( + ::types::codec::EncodeSize::encode_size(#held) )*,
        });
        read.push(quote! { #tag => Self::#ident { #( #members: ::types::codec::ReadExt::read(buf)? ),* }, });
    }
    (
        quote! { match self { #(#write)* } },
        quote! { 1 + match self { #(#size)* } },
        quote! {
            let tag: u8 = ::types::codec::ReadExt::read(buf)?;
            Ok(match tag {
                #(#read)*
                other => return Err(::types::codec::Error::InvalidEnum(other)),
            })
        },
    )
}
