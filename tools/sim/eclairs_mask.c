/* See eclairs_mask.h. A cell is opened only where the sheet stays in one piece. */
#include "sim/eclairs_mask.h"
#include "sim/rng.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { CELLS = MASK_CELLS * MASK_CELLS, OPEN_CELLS = CELLS * 2 / 5, CROSS_FIRST = 22, CROSS_LAST = 23 };

static bool is_cross(int cell)
{
    int z = cell / MASK_CELLS, y = cell % MASK_CELLS;
    return (z >= CROSS_FIRST && z <= CROSS_LAST) || (y >= CROSS_FIRST && y <= CROSS_LAST);
}

/* Cells beside `cell`; -1 stands for the frame. */
static void neighbours(int cell, int ret[4])
{
    int z = cell / MASK_CELLS, y = cell % MASK_CELLS;
    ret[0] = z > 0 ? cell - MASK_CELLS : -1;
    ret[1] = z < MASK_CELLS - 1 ? cell + MASK_CELLS : -1;
    ret[2] = y > 0 ? cell - 1 : -1;
    ret[3] = y < MASK_CELLS - 1 ? cell + 1 : -1;
}

/* Opaque cells that hang on the frame or the cross: a flood from those that touch them. */
static int count_held(const bool open[CELLS])
{
    static const int NOWHERE = -1;
    int stack[CELLS], n_stack = 0, n_held = 0, next[4];
    bool seen[CELLS] = {false};
    for (int cell = 0; cell < CELLS; cell++) {
        neighbours(cell, next);
        bool at_frame = next[0] == NOWHERE || next[1] == NOWHERE || next[2] == NOWHERE || next[3] == NOWHERE;
        if (open[cell] || !(at_frame || is_cross(cell))) continue;
        seen[cell] = true;
        stack[n_stack++] = cell;
    }
    while (n_stack > 0) {
        neighbours(stack[--n_stack], next);
        n_held++;
        for (int i = 0; i < 4; i++) {
            if (next[i] == NOWHERE || open[next[i]] || seen[next[i]]) continue;
            seen[next[i]] = true;
            stack[n_stack++] = next[i];
        }
    }
    return n_held;
}

static void open_cells(struct rng *r, bool open[CELLS])
{
    int order[CELLS], n_open = 0;
    for (int i = 0; i < CELLS; i++) { /* Fisher-Yates, inside out */
        int j = (int)(rng_uniform(r) * (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < CELLS && n_open < OPEN_CELLS; i++) {
        if (is_cross(order[i])) continue;
        open[order[i]] = true;
        if (count_held(open) == CELLS - n_open - 1)
            n_open++;
        else
            open[order[i]] = false;
    }
}

void mask_make(uint64_t seed, struct coded_mask *ret_mask)
{
    struct rng r;
    bool open[CELLS] = {false};
    rng_seed(&r, seed, UINT64_C(0x6d61736b)); /* "mask": apart from the streams of samples */
    open_cells(&r, open);
    memset(ret_mask, 0, sizeof *ret_mask);
    for (int z = 0; z < MASK_CELLS; z++)
        for (int y = 0; y < MASK_CELLS; y++)
            ret_mask->open[z + 1][y + 1] = ret_mask->open[z][y + 1] + ret_mask->open[z + 1][y] - ret_mask->open[z][y] +
                                           (open[z * MASK_CELLS + y] ? 1.0 : 0.0);
}

/* An edge of pixels among the cells: before the cell `cell`, and `part` of it. Outside the mask: its nearest edge. */
struct edge {
    int cell;
    double part;
};

static struct edge find_edge(double at)
{
    int cell = (int)fmin(fmax(at, 0.0), MASK_CELLS - 1);
    return (struct edge){cell, fmin(fmax(at, 0.0), MASK_CELLS) - cell};
}

/* Sums of openness below `z`, at whole cells along y: linear between the sums at whole cells. */
static void sum_below(const struct coded_mask *m, struct edge z, double ret_sum[MASK_CELLS + 1])
{
    for (int y = 0; y <= MASK_CELLS; y++)
        ret_sum[y] = m->open[z.cell][y] + z.part * (m->open[z.cell + 1][y] - m->open[z.cell][y]);
}

void mask_sample(const struct coded_mask *m, double z0, double y0, int n, float *ret_open)
{
    const double cell = (double)MASK_CELLS / MASK_SIDE; /* cells per pixel */
    double sum[MASK_CELLS + 1], row[2][MASK_SIDE + 1]; /* rows: along the lower and the upper edge of a row of pixels */
    struct edge edge[MASK_SIDE + 1];
    for (int y = 0; y <= n; y++)
        edge[y] = find_edge((y0 + y) * cell);
    for (int z = 0; z <= n; z++) {
        sum_below(m, find_edge((z0 + z) * cell), sum);
        for (int y = 0; y <= n; y++)
            row[z & 1][y] = sum[edge[y].cell] + edge[y].part * (sum[edge[y].cell + 1] - sum[edge[y].cell]);
        for (int y = 0; y < n && z > 0; y++) {
            double area = row[z & 1][y + 1] - row[z & 1][y] - row[(z - 1) & 1][y + 1] + row[(z - 1) & 1][y];
            ret_open[(z - 1) * n + y] = (float)(area / (cell * cell));
        }
    }
}

/* Source: science.md B.2 step 2: detector pixel k sees mask pixel k + s - 79. */
void mask_shadow(const struct coded_mask *m, double sky_y, double sky_z, float *ret_open)
{
    mask_sample(m, sky_z - (PLANE_SIDE - 1), sky_y - (PLANE_SIDE - 1), PLANE_SIDE, ret_open);
}
