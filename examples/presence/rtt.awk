# Round-trip times between made-up machines in the cities of nodes.csv.
#
#     awk -f rtt.awk nodes.csv > rtt.csv
#
# A time is the way there and back at two thirds of the speed of light, times a stretch, and a millisecond for the last
# mile at both ends. The stretch is 1.2 to 1.8, as cables do not run straight. It depends on the pair alone, so the same
# cities give the same times.

BEGIN {
    FS = ","
    radians = atan2(0, -1) / 180
    earth_km = 6371
    km_per_ms = 299.792458 * 2 / 3
    n = 0
    print "src,dst,rtt_ms"
}

FNR > 1 {
    id[n] = $1
    lat[n] = $3 * radians
    lon[n] = $4 * radians
    for (i = 0; i < n; i++) {
        stretch = 1.2 + (i * 7 + n * 11) % 13 / 20
        printf "%s,%s,%.2f\n", id[i], $1, 2 * km(i, n) / km_per_ms * stretch + 1
    }
    n++
}

# The great circle between two cities.
function km(a, b,    x, y) {
    x = sin((lat[a] - lat[b]) / 2)
    y = sin((lon[a] - lon[b]) / 2)
    x = x * x + cos(lat[a]) * cos(lat[b]) * y * y
    return 2 * earth_km * atan2(sqrt(x), sqrt(1 - x))
}
