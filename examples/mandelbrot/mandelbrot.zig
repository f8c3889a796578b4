//! Draw the Mandelbrot set: a PNG on stdout.
//!
//!   mandelbrot [WIDTH HEIGHT [CENTRE_X CENTRE_Y [ZOOM [ITERATIONS]]]]
//!
//! Without arguments the same words may come on stdin; what is missing takes its default. At zoom 1 the
//! picture is 3 units high. Only + - * / on doubles and integer colours: every machine draws the same bytes.
//! Nothing is allocated, and at most 32 KiB of compressed picture is in memory at a time.

const std = @import("std");
const png = @import("png.zig");
const wasi = @import("wasi");

const side_max = 8192;
const iterations_max = 1_000_000;

const Picture = struct {
    width: u32 = 640,
    height: u32 = 480,
    centre_x: f64 = -0.5,
    centre_y: f64 = 0,
    zoom: f64 = 1,
    iterations: u32 = 256,
};

pub fn main() u8 {
    var room: [4096]u8 = undefined;
    const text = wasi.parameters(&room) orelse return fail("too many words", "");
    var picture = Picture{};
    if (read(text, &picture)) |bad| return fail(bad.why, bad.word);
    return if (draw(picture)) 0 else 1;
}

const Bad = struct { why: []const u8, word: []const u8 };

/// Fill `picture` from the words of `text`; the first word that does not fit comes back.
fn read(text: []const u8, picture: *Picture) ?Bad {
    var words = std.mem.tokenizeAny(u8, text, " \t\r\n\x00");
    var position: usize = 0;
    while (words.next()) |word| : (position += 1) {
        switch (position) {
            0 => picture.width = whole(word, side_max) orelse return .{ .why = "WIDTH must be 1 to 8192, not ", .word = word },
            1 => picture.height = whole(word, side_max) orelse return .{ .why = "HEIGHT must be 1 to 8192, not ", .word = word },
            2 => picture.centre_x = real(word, -10, 10) orelse return .{ .why = "CENTRE_X must be -10 to 10, not ", .word = word },
            3 => picture.centre_y = real(word, -10, 10) orelse return .{ .why = "CENTRE_Y must be -10 to 10, not ", .word = word },
            4 => picture.zoom = real(word, 1e-3, 1e15) orelse return .{ .why = "ZOOM must be 1e-3 to 1e15, not ", .word = word },
            5 => picture.iterations = whole(word, iterations_max) orelse return .{ .why = "ITERATIONS must be 1 to 1000000, not ", .word = word },
            else => return .{ .why = "one word too many: ", .word = word },
        }
    }
    return null;
}

fn whole(word: []const u8, max: u32) ?u32 {
    const value = std.fmt.parseInt(u32, word, 10) catch return null;
    return if (value >= 1 and value <= max) value else null;
}

fn real(word: []const u8, min: f64, max: f64) ?f64 {
    const value = std.fmt.parseFloat(f64, word) catch return null;
    return if (value >= min and value <= max) value else null; // false for NaN
}

fn draw(picture: Picture) bool {
    const step = 3.0 / picture.zoom / @as(f64, @floatFromInt(picture.height));
    const left = picture.centre_x - step * (@as(f64, @floatFromInt(picture.width)) - 1) / 2;
    const top = picture.centre_y + step * (@as(f64, @floatFromInt(picture.height)) - 1) / 2;
    var writer = png.Writer{};
    writer.begin(picture.width, picture.height, &palette());
    var y: u32 = 0;
    while (y < picture.height) : (y += 1) {
        const im = top - step * @as(f64, @floatFromInt(y));
        writer.pixel(0); // each row of a PNG opens with its filter: none
        var x: u32 = 0;
        while (x < picture.width) : (x += 1) {
            const re = left + step * @as(f64, @floatFromInt(x));
            writer.pixel(colour(escape(re, im, picture.iterations)));
        }
    }
    return writer.end();
}

/// The step at which z = z² + c leaves the disc of radius 2; null if it stays for `iterations` steps.
fn escape(re: f64, im: f64, iterations: u32) ?u32 {
    var x: f64 = 0;
    var y: f64 = 0;
    var n: u32 = 0;
    while (n < iterations) : (n += 1) {
        const xx = x * x;
        const yy = y * y;
        if (xx + yy > 4) return n;
        y = 2 * x * y + im;
        x = xx - yy + re;
    }
    return null;
}

/// Inside is entry 0; outside walks round the other 255, quickly where the steps are few.
fn colour(n: ?u32) u8 {
    return @intCast(1 + (8 * (n orelse return 0)) % 255);
}

/// Black, then a closed walk from night blue over ice and gold back to night blue.
fn palette() [768]u8 {
    const stops = [_][3]i32{ .{ 6, 12, 72 }, .{ 40, 110, 200 }, .{ 232, 248, 255 }, .{ 255, 176, 16 }, .{ 96, 16, 24 }, .{ 6, 12, 72 } };
    var out = [_]u8{0} ** 768;
    var i: usize = 1;
    while (i < 256) : (i += 1) {
        const at = (i - 1) * (stops.len - 1);
        const stop = at / 255;
        const part: i32 = @intCast(at % 255);
        for (0..3) |channel| {
            const from = stops[stop][channel];
            out[3 * i + channel] = @intCast(from + @divTrunc((stops[stop + 1][channel] - from) * part, 255));
        }
    }
    return out;
}

fn fail(why: []const u8, word: []const u8) u8 {
    wasi.complain("mandelbrot: ");
    wasi.complain(why);
    wasi.complain(word);
    wasi.complain("\n");
    return 2;
}
