//! Records: sixteen little-endian 64-bit words, 128 bytes, two cache lines.
//!
//! A record *is* its bytes: no serialisation step stands between the engine, the ring and the
//! journal, and none needs unsafe code. `layout!` declares a body once, field by field with its
//! byte offset; reading, writing, the overlap check at compile time and the published table of
//! fields ([`Field`]) all follow from that one declaration.

use crate::units::{Leverage, OrderId, Price, Qty, Rate, Tick, Xbt};

/// The sixteen words of a record.
pub type Words = [u64; 16];

/// Size of a record in bytes.
pub const RECORD_BYTES: usize = 128;

/// Where a field lies in its record; the rows of `docs/records.json`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its Rust type; integers are little-endian.
    pub kind: &'static str,
    /// Offset of its first byte in the record.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
}

/// A value that has a place in a record.
pub trait Wire: Copy {
    /// Bytes it takes.
    const SIZE: usize;
    /// Reads it at byte `offset`.
    fn get(words: &Words, offset: usize) -> Self;
    /// Writes it at byte `offset`, which must still be zero.
    fn put(self, words: &mut Words, offset: usize);
}

macro_rules! wire_int {
    ($($int:ty as $unsigned:ty),*) => {$(
        impl Wire for $int {
            const SIZE: usize = size_of::<$int>();
            #[inline(always)]
            fn get(words: &Words, offset: usize) -> Self {
                (words[offset / 8] >> (8 * (offset % 8))) as $unsigned as $int
            }
            #[inline(always)]
            fn put(self, words: &mut Words, offset: usize) {
                words[offset / 8] |= (self as $unsigned as u64) << (8 * (offset % 8));
            }
        }
    )*};
}
wire_int!(u8 as u8, u16 as u16, u32 as u32, u64 as u64, i32 as u32, i64 as u64);

macro_rules! wire_newtype {
    ($($outer:ident($inner:ty)),*) => {$(
        impl Wire for $outer {
            const SIZE: usize = size_of::<$inner>();
            #[inline(always)]
            fn get(words: &Words, offset: usize) -> Self {
                $outer(<$inner>::get(words, offset))
            }
            #[inline(always)]
            fn put(self, words: &mut Words, offset: usize) {
                self.0.put(words, offset);
            }
        }
    )*};
}
wire_newtype!(Tick(u32), Price(u64), Qty(u64), Xbt(i64), Rate(i64), Leverage(u32));

/// Twelve bytes: the creation number, then the slot.
impl Wire for OrderId {
    const SIZE: usize = 12;
    #[inline(always)]
    fn get(words: &Words, offset: usize) -> Self {
        OrderId { number: u64::get(words, offset), slot: u32::get(words, offset + 8) }
    }
    #[inline(always)]
    fn put(self, words: &mut Words, offset: usize) {
        self.number.put(words, offset);
        self.slot.put(words, offset + 8);
    }
}

/// One byte that may or may not name a `T`. Commands come from outside, so the byte is kept as it
/// came and refused in the engine, in the order of rule REJECT-1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code<T> {
    /// The byte as it is in the record.
    pub raw: u8,
    kind: core::marker::PhantomData<T>,
}

impl<T: Coded> Code<T> {
    /// The code of `raw`, known or not.
    #[must_use]
    pub const fn from_raw(raw: u8) -> Code<T> {
        Code { raw, kind: core::marker::PhantomData }
    }

    /// What it names, if anything.
    #[inline(always)]
    #[must_use]
    pub fn get(self) -> Option<T> {
        T::from_code(self.raw)
    }
}

impl<T: Coded + core::fmt::Debug> core::fmt::Debug for Code<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.get() {
            Some(value) => value.fmt(f),
            None => write!(f, "code {}", self.raw),
        }
    }
}

impl<T: Coded> Default for Code<T> {
    fn default() -> Self {
        Code::from_raw(0)
    }
}

impl<T: Coded> From<T> for Code<T> {
    #[inline(always)]
    fn from(value: T) -> Self {
        Code::from_raw(value.code())
    }
}

impl<T: Copy> Wire for Code<T> {
    const SIZE: usize = 1;
    #[inline(always)]
    fn get(words: &Words, offset: usize) -> Self {
        Code { raw: u8::get(words, offset), kind: core::marker::PhantomData }
    }
    #[inline(always)]
    fn put(self, words: &mut Words, offset: usize) {
        self.raw.put(words, offset);
    }
}

/// An enumeration with one byte (or two) on the wire. Numbers are never reused or renumbered.
pub trait Coded: Copy {
    /// Its number.
    fn code(self) -> u8;
    /// The variant with that number.
    fn from_code(code: u8) -> Option<Self>;
}

/// Declares an enumeration whose variants have numbers on the wire.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $code:literal ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $( $(#[$vmeta])* $variant = $code ),* }

        impl $name {
            /// Every variant, in the order of its number.
            pub const ALL: &'static [$name] = &[ $( $name::$variant ),* ];

            /// The variant's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( $name::$variant => stringify!($variant) ),* }
            }
        }

        impl $crate::words::Coded for $name {
            #[inline(always)]
            fn code(self) -> u8 { self as u8 }
            #[inline(always)]
            fn from_code(code: u8) -> Option<Self> {
                match code { $( $code => Some($name::$variant), )* _ => None }
            }
        }
    };
}
pub(crate) use coded;

/// True when no two fields share a byte and every one lies inside the record and on its grain.
#[must_use]
pub const fn fields_are_disjoint(fields: &[Field], first_byte: usize) -> bool {
    let mut used: u128 = 0;
    let mut i = 0;
    while i < fields.len() {
        let field = fields[i];
        if field.offset < first_byte || field.offset + field.size > RECORD_BYTES {
            return false;
        }
        // A field never straddles two words unless it starts on one.
        if !field.offset.is_multiple_of(8) && field.offset % 8 + field.size > 8 {
            return false;
        }
        let mut byte = field.offset;
        while byte < field.offset + field.size {
            if used & (1 << byte) != 0 {
                return false;
            }
            used |= 1 << byte;
            byte += 1;
        }
        i += 1;
    }
    true
}

/// Declares the body of a record: name, type and byte offset of each field.
macro_rules! layout {
    ($first:literal; $(#[$meta:meta])* $name:ident { $( $(#[$fmeta:meta])* $field:ident : $ty:ty = $offset:literal ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name { $( $(#[$fmeta])* pub $field: $ty ),* }

        impl $name {
            /// Where each field lies.
            pub const FIELDS: &'static [$crate::words::Field] = &[ $( $crate::words::Field {
                name: stringify!($field),
                kind: stringify!($ty),
                offset: $offset,
                size: <$ty as $crate::words::Wire>::SIZE,
            } ),* ];

            /// Reads the body out of a record.
            #[inline(always)]
            #[must_use]
            pub fn read(_words: &$crate::words::Words) -> Self {
                $name { $( $field: <$ty as $crate::words::Wire>::get(_words, $offset) ),* }
            }

            /// Writes the body into a record whose body is zero.
            #[inline(always)]
            pub fn write(self, _words: &mut $crate::words::Words) {
                $( $crate::words::Wire::put(self.$field, _words, $offset); )*
            }
        }

        const _: () = assert!(
            $crate::words::fields_are_disjoint($name::FIELDS, $first),
            concat!("fields of ", stringify!($name), " overlap or leave the record")
        );
    };
}
pub(crate) use layout;
