"""What is compiled to convolve with oneDNN: so many images at once that their rearranged copies stay in the cache.

oneDNN wants arrays in blocks of 16 channels; Jittor has them dense. The numbers of all images, rearranged, would go to
memory and back. And oneDNN compiles for each number of images and each width, which in some trainings differ from
step to step.
"""

HEADER = r"""
#include <algorithm>
#include <cstring>
#include <omp.h>
#include <dnnl.hpp>
namespace jittor {
typedef dnnl::memory::dims Dims;
typedef dnnl::memory::format_tag Tag;
typedef dnnl::memory::desc Layout;

static inline dnnl::engine& the_engine() { static dnnl::engine one(dnnl::engine::kind::cpu, 0); return one; }
static inline dnnl::stream& the_stream() { static dnnl::stream one(the_engine()); return one; }

typedef dnnl::memory::data_type Type;
// dense as Jittor has it, or (Tag::any) as oneDNN likes it best
static inline Layout layout(const Dims& dims, Tag tag, Type type = Type::f32) { return Layout(dims, type, tag); }
static inline Layout dense(const Dims& dims) {
  const Tag tags[] = {Tag::a, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
  return layout(dims, tags[dims.size()]);
}
static inline long product(const Dims& dims) {
  long numbers = 1;
  for (auto size : dims) numbers *= size;
  return numbers;
}
template <class Shape> static inline Dims sizes_of(const Shape& shape) {
  Dims dims;
  for (int axis = 0; axis < (int)shape.size(); axis++) dims.push_back(shape[axis]);
  return dims;
}
// An array beside its like in oneDNN's layout, where columns that Jittor's has not are 0.
struct Pair {
  dnnl::memory own, theirs, shared;
  bool is_same;
  Pair(const Dims& dims, void* data, const Layout& wanted) : own(dense(dims), the_engine(), data) {
    is_same = wanted == own.get_desc();
    theirs = is_same ? own : dnnl::memory(wanted, the_engine());
    if (is_same) return;
    shared = wanted.dims() == dims ? theirs : dnnl::memory(
        wanted.submemory_desc(dims, Dims(dims.size(), 0)), the_engine(), theirs.get_data_handle());
    if (wanted.dims() != dims) std::memset(theirs.get_data_handle(), 0, wanted.get_size());
  }
  void move(const float* data) {
    own.set_data_handle((void*)data);
    if (is_same) theirs.set_data_handle((void*)data);
  }
  void give() { if (!is_same) dnnl::reorder(own, shared).execute(the_stream(), own, shared); }
  void take() { if (!is_same) dnnl::reorder(shared, own).execute(the_stream(), shared, own); }
};
struct Convolution {
  Dims volume, kernel, result, stride, padding;
  bool has_bias, rectifies;
  Type read;  // what is multiplied; sums and results are float32
  Layout low(const Dims& dims) const { return layout(dims, Tag::any, read); }
  Layout full(const Dims& dims) const { return layout(dims, Tag::any); }
  Layout bias() const { return has_bias ? layout(Dims{kernel[0]}, Tag::a) : Layout(); }
  long of_volume() const { return product(volume) / volume[0]; }
  long of_result() const { return product(result) / result[0]; }
  dnnl::convolution_forward::primitive_desc plan() const {
    dnnl::primitive_attr attributes;
    dnnl::post_ops then;
    if (rectifies) then.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(then);
    return dnnl::convolution_forward::primitive_desc(
        dnnl::convolution_forward::desc(
            dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, low(volume), low(kernel), bias(),
            full(result), stride, padding, padding),
        attributes, the_engine());
  }
  // Images that are convolved at once: as many as stay in the cache between one step and the next. Most calls have a
  // full piece, whatever the number of images is, and oneDNN compiles for each number anew.
  long piece() const {
    const long bytes = 4 * (of_volume() + of_result()), cache = 1 << 19, images = volume[0];
    if (bytes > cache) return images;
    const long most = omp_get_max_threads() * std::max(
        std::min(16L, cache / bytes), (8 * product(kernel) + bytes - 1) / bytes);
    const long pieces = (images + most - 1) / most;
    return (images + pieces - 1) / pieces;
  }
  Convolution of(long images) const {
    Convolution some = *this;
    some.volume[0] = some.result[0] = images;
    return some;
  }
  // A row of another length would be compiled for, too: 0s follow it, as its padding.
  Convolution widened() const {
    Convolution wide = *this;
    if (stride.back() == 1 && product(volume) == volume[1] * volume.back()) {
      const long more = 15 - (volume.back() + 15) % 16;
      wide.volume.back() += more;
      wide.result.back() += more;
    }
    return wide;
  }
};
// What a rectifier let through, which is where its result is positive, without the numbers that were counted already.
static inline const float* passed(
    const float* gradient, const float* rectified, dnnl::memory& room, const Layout& wanted, long counted) {
  if (!rectified && !counted) return gradient;
  if (!room) room = dnnl::memory(wanted, the_engine());
  float* to = (float*)room.get_data_handle();
  const long numbers = product(wanted.dims());
  std::fill(to, to + counted, 0.0f);
  #pragma omp parallel for
  for (long i = counted; i < numbers; i++) to[i] = !rectified || rectified[i] > 0 ? gradient[i] : 0.0f;
  return to;
}
static inline void add_to(dnnl::memory& sum, const dnnl::memory& term) {
  float *to = (float*)sum.get_data_handle(), *from = (float*)term.get_data_handle();
  for (long i = 0, numbers = sum.get_desc().get_size() / sizeof(float); i < numbers; i++) to[i] += from[i];
}
}
"""

SETUP = r"""
  using namespace jittor;
  const Convolution all{sizes_of(@volume->shape), sizes_of(@kernel->shape), sizes_of(@result->shape), Dims{@strides},
                        Dims{@paddings}, @biased, @rectifies, Type::@read};
  const long images = all.volume[0], piece = all.piece(), of_volume = all.of_volume(), of_result = all.of_result();
  const Convolution part = all.of(piece), s = part.widened();
"""

FORWARD = r"""
  auto planned = s.plan();
  Pair volume(part.volume, @volume_p, planned.src_desc()), kernel(s.kernel, @kernel_p, planned.weights_desc());
  Pair result(part.result, @result_p, planned.dst_desc());
  kernel.give();
  dnnl::convolution_forward run(planned);
  for (long done = 0; done < images; done += piece) {
    const long start = std::min(done, images - piece);
    volume.move(@volume_p + start * of_volume);
    result.move(@result_p + start * of_result);
    volume.give();
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, volume.theirs}, {DNNL_ARG_WEIGHTS, kernel.theirs}, {DNNL_ARG_DST, result.theirs}};
    if (s.has_bias) arguments.insert({DNNL_ARG_BIAS, dnnl::memory(s.bias(), the_engine(), @bias_p)});
    run.execute(the_stream(), arguments);
    result.take();
  }
  the_stream().wait();
"""

OF_VOLUME = r"""
  dnnl::convolution_backward_data::primitive_desc planned(
      dnnl::convolution_backward_data::desc(
          dnnl::algorithm::convolution_direct, s.full(s.volume), s.low(s.kernel), s.low(s.result), s.stride, s.padding,
          s.padding),
      the_engine(), s.plan());
  Pair volume(part.volume, @volume_p, planned.diff_src_desc()), kernel(s.kernel, @kernel_p, planned.weights_desc());
  Pair result(part.result, @result_p, planned.diff_dst_desc());
  kernel.give();
  const float* rectified = @rectified;
  dnnl::memory room;
  dnnl::convolution_backward_data run(planned);
  for (long done = 0; done < images; done += piece) {
    const long start = std::min(done, images - piece), at = start * of_result;
    volume.move(@volume_p + start * of_volume);
    result.move(passed(@result_p + at, rectified ? rectified + at : nullptr, room, dense(part.result), 0));
    result.give();
    run.execute(
        the_stream(),
        {{DNNL_ARG_DIFF_DST, result.theirs}, {DNNL_ARG_WEIGHTS, kernel.theirs}, {DNNL_ARG_DIFF_SRC, volume.theirs}});
    volume.take();
  }
  the_stream().wait();
"""

OF_KERNEL = r"""
  dnnl::convolution_backward_weights::primitive_desc planned(
      dnnl::convolution_backward_weights::desc(
          dnnl::algorithm::convolution_direct, s.low(s.volume), s.full(s.kernel), s.bias(), s.low(s.result), s.stride,
          s.padding, s.padding),
      the_engine(), s.plan());
  Pair volume(part.volume, @volume_p, planned.src_desc()), kernel(s.kernel, @kernel_p, planned.diff_weights_desc());
  Pair result(part.result, @result_p, planned.diff_dst_desc());
  const float* rectified = @rectified;
  dnnl::memory room, of_kernel = kernel.theirs, of_bias;
  if (s.has_bias) of_bias = dnnl::memory(s.bias(), the_engine(), @bias_p);
  dnnl::memory more_of_kernel = of_kernel, more_of_bias = of_bias;
  dnnl::convolution_backward_weights run(planned);
  for (long done = 0; done < images; done += piece) {
    const long start = std::min(done, images - piece), at = start * of_result, counted = (done - start) * of_result;
    volume.move(@volume_p + start * of_volume);
    result.move(passed(@result_p + at, rectified ? rectified + at : nullptr, room, dense(part.result), counted));
    volume.give();
    result.give();
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, volume.theirs}, {DNNL_ARG_DIFF_DST, result.theirs}, {DNNL_ARG_DIFF_WEIGHTS, more_of_kernel}};
    if (s.has_bias) arguments.insert({DNNL_ARG_DIFF_BIAS, more_of_bias});
    run.execute(the_stream(), arguments);
    if (done) {
      add_to(of_kernel, more_of_kernel);
      if (s.has_bias) add_to(of_bias, more_of_bias);
    } else if (piece < images) {
      more_of_kernel = dnnl::memory(of_kernel.get_desc(), the_engine());
      if (s.has_bias) more_of_bias = dnnl::memory(of_bias.get_desc(), the_engine());
    }
  }
  kernel.take();
  the_stream().wait();
"""
