//! Exit with the code given as the first argument, or else on stdin.
//!
//! Codes from 126 up belong to shells and runtimes, so 0 to 125 it is; anything else is bad input, which exits 2.

const wasi = @import("wasi");

pub fn main() u8 {
    var room: [256]u8 = undefined;
    const text = wasi.parameters(&room) orelse return fail("too much input");
    const word = trim(text);
    if (word.len == 0) return fail("no code given: expected a number from 0 to 125");
    var code: u32 = 0;
    for (word) |c| {
        if (c < '0' or c > '9') return fail("not a number from 0 to 125");
        code = code * 10 + (c - '0');
        if (code > 125) return fail("not a number from 0 to 125");
    }
    return @intCast(code);
}

fn trim(text: []const u8) []const u8 {
    var begin: usize = 0;
    var end = text.len;
    while (begin < end and text[begin] <= ' ') begin += 1;
    while (end > begin and text[end - 1] <= ' ') end -= 1;
    return text[begin..end];
}

fn fail(why: []const u8) u8 {
    wasi.complain("exit: ");
    wasi.complain(why);
    wasi.complain("\n");
    return 2;
}
