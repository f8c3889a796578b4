/* SHA-256 of stdin, printed as sha256sum prints it: 64 hex digits, two spaces, a dash.
 *
 * FIPS 180-4, section 6.2. Reads in pieces of 64 KiB, so the input may be of any size. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 64u

struct sha256 {
    uint32_t h[8];
    uint64_t length; /* bytes so far */
    uint8_t block[BLOCK];
};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void start(struct sha256 *s) {
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, initial, sizeof initial);
    s->length = 0;
}

static void compress(uint32_t h[8], const uint8_t *p) {
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++, p += 4)
        w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int t = 16; t < 64; t++) {
        uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + w[t - 7] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) +
               (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
    }
    memcpy(v, h, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + K[t] + w[t];
        uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[0] = t1 + t2;
        v[4] += t1;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

static void update(struct sha256 *s, const uint8_t *p, size_t n) {
    size_t held = (size_t)(s->length % BLOCK);
    s->length += n;
    if (held) {
        size_t take = BLOCK - held < n ? BLOCK - held : n;
        memcpy(s->block + held, p, take);
        p += take, n -= take;
        if (held + take < BLOCK) return;
        compress(s->h, s->block);
    }
    for (; n >= BLOCK; p += BLOCK, n -= BLOCK) compress(s->h, p);
    memcpy(s->block, p, n);
}

/* Padding (5.1.1): a one bit, zeros, the length in bits as 64 bits. */
static void finish(struct sha256 *s, uint8_t digest[32]) {
    static const uint8_t pad[BLOCK] = {0x80};
    uint64_t bits = s->length * 8;
    uint8_t tail[8];
    for (int i = 0; i < 8; i++) tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    size_t held = (size_t)(s->length % BLOCK);
    update(s, pad, held < 56 ? 56 - held : 120 - held);
    update(s, tail, sizeof tail);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

int main(int argc, char **argv) {
    static uint8_t buffer[1 << 16];
    struct sha256 s;
    uint8_t digest[32];
    size_t n;

    if (argc > 1) {
        fprintf(stderr, "sha256: unexpected argument '%s'; the input comes on stdin\n", argv[1]);
        return 2;
    }
    start(&s);
    while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0) update(&s, buffer, n);
    if (ferror(stdin)) {
        fprintf(stderr, "sha256: cannot read stdin\n");
        return 1;
    }
    finish(&s, digest);
    for (int i = 0; i < 32; i++) {
        putchar("0123456789abcdef"[digest[i] >> 4]);
        putchar("0123456789abcdef"[digest[i] & 15]);
    }
    puts("  -");
    return fflush(stdout) ? 1 : 0;
}
