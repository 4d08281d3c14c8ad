// Batch norm, the sum with a shortcut and ReLU on a CPU, as two passes over memory each way.
//
// A map in channels_last is a matrix of `rows` and `columns`: a row holds the channels of `folds` neighbouring
// pixels, so that it fills whole vectors however few the channels are. Columns are a multiple of BLOCK.
// Partial sums are in float over ROWS rows, and in double beyond.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace {

constexpr int BLOCK = 64, ROWS = 32;

struct bfloat16 {
    uint16_t bits;
};

inline float wide(float value) { return value; }

inline float wide(bfloat16 value) {
    const uint32_t bits = uint32_t(value.bits) << 16;
    float result;
    std::memcpy(&result, &bits, 4);
    return result;
}

inline void put(float& place, float value) { place = value; }

inline void put(bfloat16& place, float value) {  // rounds to even; what is not a number stays so
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, quiet = (bits >> 16) | 0x40u;
    place.bits = uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

struct Shape {
    int64_t pixels, channels, folds;
    int threads;
    int64_t columns() const { return channels * folds; }
    int64_t rows() const { return pixels / folds; }
    int64_t first(int part) const { return rows() * part / threads; }
};

// Two sums of each column over a thread's own rows; `visit` adds a row's block to both.
template <class Visit>
void sums(const Shape& shape, std::vector<double>& ones, std::vector<double>& twos, Visit visit) {
    const int64_t columns = shape.columns();
#pragma omp parallel for num_threads(shape.threads) schedule(static, 1)
    for (int part = 0; part < shape.threads; part++) {
        double *one = &ones[part * columns], *two = &twos[part * columns];
        for (int64_t row = shape.first(part), last = shape.first(part + 1); row < last; row += ROWS)
            for (int64_t column = 0; column < columns; column += BLOCK)
                visit(row, std::min<int64_t>(last, row + ROWS), row - shape.first(part), column, one, two);
    }
}

template <class Number>
void moments(const Shape& shape, const Number* x, std::vector<double>& means, std::vector<double>& squares) {
    const int64_t columns = shape.columns();
    sums(shape, means, squares,
         [=](int64_t first, int64_t last, int64_t seen, int64_t column, double* mean, double* square) {
             float own[BLOCK] = {0}, off[BLOCK] = {0};
             const int64_t count = last - first;
             for (int64_t row = first; row < last; row++) {
                 const Number* here = x + row * columns + column;
                 for (int j = 0; j < BLOCK; j++) own[j] += wide(here[j]);
             }
             for (int j = 0; j < BLOCK; j++) own[j] /= float(count);
             for (int64_t row = first; row < last; row++) {
                 const Number* here = x + row * columns + column;
                 for (int j = 0; j < BLOCK; j++) {
                     const float apart = wide(here[j]) - own[j];
                     off[j] += apart * apart;
                 }
             }
             const double all = double(seen + count);
             for (int j = 0; j < BLOCK; j++) {
                 const double apart = own[j] - mean[column + j];
                 square[column + j] += off[j] + apart * apart * (double(seen) * count / all);
                 mean[column + j] += apart * (count / all);
             }
         });
}

template <class Number>
void forward(const Number* __restrict x, const Number* __restrict other, Number* __restrict out,
             const float* weight, const float* bias, float* running_mean, float* running_var, float* mean,
             float* scale, Shape shape, float momentum, float eps, bool relu) {
    const int64_t columns = shape.columns(), rows = shape.rows();
    std::vector<double> means(shape.threads * columns), squares(shape.threads * columns);
    moments(shape, x, means, squares);
    std::vector<float> middle(columns), slope(columns), shift(columns);
    for (int64_t channel = 0; channel < shape.channels; channel++) {
        double count = 0, own = 0, square = 0;
        for (int part = 0; part < shape.threads; part++) {
            const double here = double(shape.first(part + 1) - shape.first(part));
            for (int64_t fold = 0; here > 0 && fold < shape.folds; fold++) {
                const int64_t place = part * columns + fold * shape.channels + channel;
                const double apart = means[place] - own, all = count + here;
                square += squares[place] + apart * apart * (count * here / all);
                own += apart * (here / all);
                count = all;
            }
        }
        mean[channel] = float(own);
        scale[channel] = float(1 / std::sqrt(square / count + eps));
        running_mean[channel] += momentum * (float(own) - running_mean[channel]);
        running_var[channel] += momentum * (float(square / (count - 1)) - running_var[channel]);
        for (int64_t column = channel; column < columns; column += shape.channels) {
            middle[column] = mean[channel];
            slope[column] = scale[channel] * weight[channel];
            shift[column] = bias[channel];
        }
    }
    const float least = relu ? 0.0f : -std::numeric_limits<float>::infinity();
    const float *__restrict m = middle.data(), *__restrict s = slope.data(), *__restrict b = shift.data();
#pragma omp parallel for num_threads(shape.threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Number* __restrict from = x + row * columns;
        Number* __restrict to = out + row * columns;
        if (other) {
            const Number* __restrict more = other + row * columns;
            for (int64_t j = 0; j < columns; j++) {
                const float value = (wide(from[j]) - m[j]) * s[j] + b[j] + wide(more[j]);
                put(to[j], value < least ? least : value);
            }
        } else {
            for (int64_t j = 0; j < columns; j++) {
                const float value = (wide(from[j]) - m[j]) * s[j] + b[j];
                put(to[j], value < least ? least : value);
            }
        }
    }
}

template <class Number, bool RELU>
void gradients(const Number* __restrict x, const Number* __restrict out, const Number* __restrict gradient,
               const float* weight, const float* mean, const float* scale, Number* __restrict of_x,
               Number* __restrict of_other, float* of_weight, float* of_bias, Shape shape) {
    const int64_t columns = shape.columns(), rows = shape.rows();
    std::vector<float> middle(columns), inverse(columns), slope(columns), lean(columns), rest(columns);
    for (int64_t column = 0; column < columns; column++) {
        middle[column] = mean[column % shape.channels];
        inverse[column] = scale[column % shape.channels];
    }
    const float *__restrict m = middle.data(), *__restrict inv = inverse.data();
    std::vector<double> totals(shape.threads * columns), dots(shape.threads * columns);
    sums(shape, totals, dots,
         [=](int64_t first, int64_t last, int64_t, int64_t column, double* total, double* dot) {
             float own[BLOCK] = {0}, along[BLOCK] = {0};
             for (int64_t row = first; row < last; row++) {
                 const int64_t at = row * columns + column;
                 for (int j = 0; j < BLOCK; j++) {
                     const float given = wide(gradient[at + j]), level = RELU ? wide(out[at + j]) : 1.0f;
                     const float passed = level > 0 ? given : 0.0f;
                     own[j] += passed;
                     along[j] += passed * (wide(x[at + j]) - m[column + j]) * inv[column + j];
                 }
             }
             for (int j = 0; j < BLOCK; j++) {
                 total[column + j] += own[j];
                 dot[column + j] += along[j];
             }
         });
    for (int64_t channel = 0; channel < shape.channels; channel++) {
        double total = 0, dot = 0;
        for (int64_t place = channel; place < shape.threads * columns; place += shape.channels) {
            total += totals[place];
            dot += dots[place];
        }
        of_bias[channel] = float(total);
        of_weight[channel] = float(dot);
        const double by = double(weight[channel]) * scale[channel];
        for (int64_t column = channel; column < columns; column += shape.channels) {
            slope[column] = float(by);
            lean[column] = float(by * scale[channel] * dot / shape.pixels);
            rest[column] = float(by * total / shape.pixels);
        }
    }
    const float *__restrict s = slope.data(), *__restrict l = lean.data(), *__restrict r = rest.data();
#pragma omp parallel for num_threads(shape.threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t at = row * columns;
        for (int64_t j = 0; j < columns; j++) {
            const float given = wide(gradient[at + j]), level = RELU ? wide(out[at + j]) : 1.0f;
            const float passed = level > 0 ? given : 0.0f;
            put(of_x[at + j], passed * s[j] - (wide(x[at + j]) - m[j]) * l[j] - r[j]);
        }
        for (int64_t j = 0; of_other && j < columns; j++) {
            const float given = wide(gradient[at + j]), level = RELU ? wide(out[at + j]) : 1.0f;
            put(of_other[at + j], level > 0 ? given : 0.0f);
        }
    }
}

template <class Number>
void backward(const Number* x, const Number* out, const Number* gradient, const float* weight,
              const float* mean, const float* scale, Number* of_x, Number* of_other, float* of_weight,
              float* of_bias, Shape shape, bool relu) {
    auto compute = relu ? gradients<Number, true> : gradients<Number, false>;
    compute(x, out, gradient, weight, mean, scale, of_x, of_other, of_weight, of_bias, shape);
}

}  // namespace

#define ENTRIES(NAME, NUMBER)                                                                                 \
    extern "C" void forward_##NAME(                                                                           \
        const NUMBER* x, const NUMBER* other, NUMBER* out, const float* weight, const float* bias,            \
        float* running_mean, float* running_var, float* mean, float* scale, int64_t pixels, int64_t channels, \
        int64_t folds, int threads, float momentum, float eps, int relu) {                                    \
        forward(x, other, out, weight, bias, running_mean, running_var, mean, scale,                          \
                Shape{pixels, channels, folds, threads}, momentum, eps, relu != 0);                           \
    }                                                                                                         \
    extern "C" void backward_##NAME(                                                                          \
        const NUMBER* x, const NUMBER* out, const NUMBER* gradient, const float* weight, const float* mean,   \
        const float* scale, NUMBER* of_x, NUMBER* of_other, float* of_weight, float* of_bias, int64_t pixels, \
        int64_t channels, int64_t folds, int threads, int relu) {                                             \
        backward(x, out, gradient, weight, mean, scale, of_x, of_other, of_weight, of_bias,                   \
                 Shape{pixels, channels, folds, threads}, relu != 0);                                         \
    }

ENTRIES(float32, float)
ENTRIES(bfloat16, bfloat16)
