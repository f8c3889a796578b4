//! A PNG of palette entries, written as its pixels arrive.
//!
//! The compression is deflate's smallest useful subset: one block of fixed Huffman codes, where a run of one
//! value becomes a match at distance 1. It shrinks this picture some five times and needs no window.

const wasi = @import("wasi");

const crc_table = table: {
    @setEvalBranchQuota(10_000);
    var t: [256]u32 = undefined;
    for (&t, 0..) |*entry, n| {
        var c: u32 = n;
        for (0..8) |_| c = if (c & 1 == 1) 0xedb88320 ^ (c >> 1) else c >> 1;
        entry.* = c;
    }
    break :table t;
};

/// The data of the IDAT chunk being filled. Static, so that it costs the module no bytes; hence one writer at a time.
var chunk: [32 * 1024]u8 = undefined;

pub const Writer = struct {
    /// How much of `chunk` is filled.
    filled: usize = 0,
    bits: u32 = 0,
    bits_held: u5 = 0,
    adler_a: u32 = 1,
    adler_b: u32 = 0,
    run_value: u8 = 0,
    run_length: u32 = 0,
    /// Whether stdout has refused bytes.
    broken: bool = false,

    pub fn begin(self: *Writer, width: u32, height: u32, palette: *const [768]u8) void {
        var header: [13]u8 = undefined;
        big_endian(header[0..4], width);
        big_endian(header[4..8], height);
        // 8 bits, palette, deflate, adaptive filters, not interlaced.
        header[8..13].* = .{ 8, 3, 0, 0, 0 };
        self.emit("\x89PNG\r\n\x1a\n");
        self.write_chunk("IHDR", &header);
        self.write_chunk("PLTE", palette);
        self.put_byte(0x78); // zlib: deflate, 32 KiB window
        self.put_byte(0x01);
        self.put_bits(0b011, 3); // the last block, fixed codes
    }

    pub fn pixel(self: *Writer, value: u8) void {
        self.adler_a = (self.adler_a + value) % 65521;
        self.adler_b = (self.adler_b + self.adler_a) % 65521;
        if (self.run_length > 0 and value != self.run_value) self.flush_run();
        self.run_value = value;
        self.run_length += 1;
    }

    /// Write what is left; false if stdout refused any of it.
    pub fn end(self: *Writer) bool {
        self.flush_run();
        self.put_symbol(256);
        if (self.bits_held > 0) self.put_bits(0, 8 - self.bits_held);
        var sum: [4]u8 = undefined;
        big_endian(&sum, self.adler_b << 16 | self.adler_a);
        for (sum) |byte| self.put_byte(byte);
        self.write_chunk("IDAT", chunk[0..self.filled]);
        self.write_chunk("IEND", "");
        return !self.broken;
    }

    /// One literal, then matches of 3 to 258; what is too short for a match goes as literals.
    fn flush_run(self: *Writer) void {
        if (self.run_length == 0) return;
        self.put_symbol(self.run_value);
        var left = self.run_length - 1;
        while (left >= 3) {
            const length = @min(left, 258);
            self.put_length(length);
            self.put_bits(0, 5); // distance code 0: distance 1
            left -= length;
        }
        while (left > 0) : (left -= 1) self.put_symbol(self.run_value);
        self.run_length = 0;
    }

    /// RFC 1951, 3.2.5: codes 257–264 are lengths 3–10, then four codes for each further bit, 285 is 258.
    fn put_length(self: *Writer, length: u32) void {
        if (length == 258) return self.put_symbol(285);
        const n = length - 3;
        if (n < 8) return self.put_symbol(257 + n);
        const extra: u5 = @intCast(29 - @clz(n)); // 8–15: 1, 16–31: 2, …
        const quarter = (n >> extra) & 3;
        self.put_symbol(261 + 4 * @as(u32, extra) + quarter);
        self.put_bits(n & ((@as(u32, 1) << extra) - 1), extra);
    }

    /// The fixed codes of 3.2.6, most significant bit first.
    fn put_symbol(self: *Writer, symbol: u32) void {
        if (symbol < 144) return self.put_code(0x30 + symbol, 8);
        if (symbol < 256) return self.put_code(0x190 + symbol - 144, 9);
        if (symbol < 280) return self.put_code(symbol - 256, 7);
        self.put_code(0xc0 + symbol - 280, 8);
    }

    fn put_code(self: *Writer, code: u32, width: u5) void {
        var left = width;
        while (left > 0) {
            left -= 1;
            self.put_bits((code >> left) & 1, 1);
        }
    }

    /// Least significant bit first; fewer than 8 bits stay behind.
    fn put_bits(self: *Writer, value: u32, width: u5) void {
        self.bits |= value << self.bits_held;
        self.bits_held += width;
        while (self.bits_held >= 8) {
            self.put_byte(@truncate(self.bits));
            self.bits >>= 8;
            self.bits_held -= 8;
        }
    }

    fn put_byte(self: *Writer, byte: u8) void {
        if (self.filled == chunk.len) {
            self.write_chunk("IDAT", &chunk);
            self.filled = 0;
        }
        chunk[self.filled] = byte;
        self.filled += 1;
    }

    fn write_chunk(self: *Writer, kind: *const [4]u8, data: []const u8) void {
        var word: [4]u8 = undefined;
        big_endian(&word, @intCast(data.len));
        self.emit(&word);
        self.emit(kind);
        self.emit(data);
        var crc: u32 = 0xffffffff;
        for (kind) |byte| crc = crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8);
        for (data) |byte| crc = crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8);
        big_endian(&word, crc ^ 0xffffffff);
        self.emit(&word);
    }

    fn emit(self: *Writer, bytes: []const u8) void {
        if (!self.broken) self.broken = !wasi.write(bytes);
    }
};

fn big_endian(out: *[4]u8, value: u32) void {
    out.* = .{ @truncate(value >> 24), @truncate(value >> 16), @truncate(value >> 8), @truncate(value) };
}
