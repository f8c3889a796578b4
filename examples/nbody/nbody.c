/* The Sun and the four gas giants, moved in steps of 0.01 days: energy before and after.
 *
 * The n-body problem of the Benchmarks Game: a symplectic integrator, which ought to keep the
 * energy. The number of steps is the first argument, or else the first word on stdin, or else 1000.
 * Only + - * / and sqrt on doubles, so that every machine prints the same digits. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BODIES 5
#define STEPS_DEFAULT 1000
#define STEPS_MAX 1000000000 /* a week of fuel: more is a typing error */
#define PI 3.141592653589793
#define SOLAR_MASS (4 * PI * PI)
#define DAYS_PER_YEAR 365.24

struct body {
    double x[3], v[3], mass;
};

#define BODY(x, y, z, vx, vy, vz, m) \
    {{x, y, z}, {(vx) * DAYS_PER_YEAR, (vy) * DAYS_PER_YEAR, (vz) * DAYS_PER_YEAR}, (m) * SOLAR_MASS}

static struct body bodies[BODIES] = {
    BODY(0, 0, 0, 0, 0, 0, 1), /* Sun */
    BODY(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
         1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05,
         9.54791938424326609e-04), /* Jupiter */
    BODY(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
         -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05,
         2.85885980666130812e-04), /* Saturn */
    BODY(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
         2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05,
         4.36624404335156298e-05), /* Uranus */
    BODY(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
         2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05,
         5.15138902046611451e-05), /* Neptune */
};

/* Give the Sun the momentum that makes the system's total zero. */
static void offset_momentum(void) {
    for (int i = 1; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            bodies[0].v[k] -= bodies[i].v[k] * bodies[i].mass / SOLAR_MASS;
}

static double energy(void) {
    double e = 0;
    for (int i = 0; i < BODIES; i++) {
        const struct body *a = &bodies[i];
        e += 0.5 * a->mass * (a->v[0] * a->v[0] + a->v[1] * a->v[1] + a->v[2] * a->v[2]);
        for (int j = i + 1; j < BODIES; j++) {
            const struct body *b = &bodies[j];
            double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
            e -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void advance(double dt) {
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double d[3] = {a->x[0] - b->x[0], a->x[1] - b->x[1], a->x[2] - b->x[2]};
            double square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            double magnitude = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                a->v[k] -= d[k] * b->mass * magnitude;
                b->v[k] += d[k] * a->mass * magnitude;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) bodies[i].x[k] += dt * bodies[i].v[k];
}

/* A whole number from 0 to STEPS_MAX, or -1. */
static int64_t parse_steps(const char *word) {
    int64_t n = 0; /* 64 bits: a long here has 32 */
    if (!*word) return -1;
    for (; *word; word++) {
        if (*word < '0' || *word > '9') return -1;
        n = n * 10 + (*word - '0');
        if (n > STEPS_MAX) return -1;
    }
    return n;
}

int main(int argc, char **argv) {
    char line[32];
    int64_t steps = STEPS_DEFAULT;
    const char *word = NULL;

    if (argc > 2) {
        fprintf(stderr, "nbody: one argument at most: the number of steps\n");
        return 2;
    }
    if (argc == 2) word = argv[1];
    else if (scanf("%31s", line) == 1) word = line;
    if (word && (steps = parse_steps(word)) < 0) {
        fprintf(stderr, "nbody: '%s' is not a number of steps between 0 and %d\n", word, STEPS_MAX);
        return 2;
    }
    offset_momentum();
    printf("%.9f\n", energy());
    for (int64_t i = 0; i < steps; i++) advance(0.01);
    printf("%.9f\n", energy());
    return fflush(stdout) ? 1 : 0;
}
