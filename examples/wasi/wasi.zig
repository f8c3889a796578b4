//! The WASI calls that the Zig examples share: words in (arguments, or else stdin), bytes out.
//!
//! Declared here rather than taken from `std`, whose wrappers change with each release of Zig.

const Slice = extern struct { ptr: [*]const u8, len: usize };

extern "wasi_snapshot_preview1" fn args_sizes_get(count: *usize, size: *usize) u16;
extern "wasi_snapshot_preview1" fn args_get(argv: [*][*:0]u8, buffer: [*]u8) u16;
extern "wasi_snapshot_preview1" fn fd_read(fd: i32, slices: [*]const Slice, n: usize, read: *usize) u16;
extern "wasi_snapshot_preview1" fn fd_write(fd: i32, slices: [*]const Slice, n: usize, written: *usize) u16;

/// The arguments after the program's name, each ended by a zero byte; with none, what stdin holds.
/// Null if that is more than `room`.
pub fn parameters(room: []u8) ?[]const u8 {
    var count: usize = 0;
    var size: usize = 0;
    if (args_sizes_get(&count, &size) == 0 and count > 1) {
        var pointers: [64][*:0]u8 = undefined;
        if (count > pointers.len or size > room.len) return null;
        if (args_get(&pointers, room.ptr) != 0) return null;
        const begin = @intFromPtr(pointers[1]) - @intFromPtr(room.ptr);
        return room[begin..size];
    }
    var held: usize = 0;
    while (held < room.len) {
        var n: usize = 0;
        const slice = [_]Slice{.{ .ptr = room.ptr + held, .len = room.len - held }};
        if (fd_read(0, &slice, 1, &n) != 0 or n == 0) return room[0..held];
        held += n;
    }
    return null;
}

/// Everything or false.
pub fn write(bytes: []const u8) bool {
    return put(1, bytes);
}

pub fn complain(bytes: []const u8) void {
    _ = put(2, bytes);
}

fn put(fd: i32, bytes: []const u8) bool {
    var done: usize = 0;
    while (done < bytes.len) {
        var n: usize = 0;
        const slice = [_]Slice{.{ .ptr = bytes.ptr + done, .len = bytes.len - done }};
        if (fd_write(fd, &slice, 1, &n) != 0 or n == 0) return false;
        done += n;
    }
    return true;
}
