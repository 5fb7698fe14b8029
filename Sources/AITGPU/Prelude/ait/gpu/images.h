// What kernels on channels-last images share: a thread makes a packet of channels of one position,
// and an epilogue on them.
#pragma once

#include "ait/gpu/images_config.h"
#include "ait/gpu/movement.h"
#include "ait/gpu/reducers.h"

namespace ait {

template <class Loop, class Place, class Arguments, int... I, class P,
          template <class...> class Pack, class... O>
AIT_DEVICE void loadExtras(const Arguments& arguments, const Place& place, P& packets, Pack<O...>,
                           IntegerSequence<int, I...>) {
  (get<I>(packets).load(Loop::template row<typename O::Element>(arguments, 1 + I, place),
                        arguments.operands[1 + I].strides[kImageRank - 1],
                        place.positions[kImageRank - 1], place.count),
   ...);
}

template <class Loop, int kFirst, class Place, class Arguments, int... I, class P,
          template <class...> class Pack, class... O>
AIT_DEVICE void storeOutputs(const Arguments& arguments, const Place& place, const P& packets,
                             Pack<O...>, IntegerSequence<int, I...>) {
  (get<I>(packets).store(Loop::template row<typename O::Element>(arguments, kFirst + I, place),
                         arguments.operands[kFirst + I].strides[kImageRank - 1],
                         place.positions[kImageRank - 1], place.count),
   ...);
}

/// Stores the epilogue of `make(place)`, which returns the channels of a position. Neighbouring
/// threads have neighbouring channels: accesses go in whole lines.
template <class Config, class T, class Epilogue, class Extra, class Out, class Arguments,
          class Make>
AIT_DEVICE void forEachPosition(const Arguments& arguments, Make&& make) {
  constexpr int W = Config::kPacket;
  using Loop = MovementLoop<Config, kImageRank>;
  launchDependents();
  waitForPrerequisites();
  AIT_NO_UNROLL
  for (int i = 0; i < Config::kPackets; ++i) {
    const auto place = Loop::locate(arguments, i);
    if (place.count <= 0) return;
    const Values<T, W> channels = make(place);
    Packets<Extra, W> extras;
    Packets<Out, W> out;
    loadExtras<Loop>(arguments, place, extras, Extra{}, Indices<Extra::kCount>{});
    applyBodyIndexed<Epilogue, W>(out, extras, Indices<Extra::kCount>{}, Indices<Out::kCount>{},
                                  channels);
    storeOutputs<Loop, 1 + Extra::kCount>(arguments, place, out, Out{}, Indices<Out::kCount>{});
  }
}

/// The images' elements at a place [N, 0, 0, 0], and their distances.
template <class Element, class Arguments>
AIT_DEVICE const Element* imageOf(const Arguments& arguments, int64_t image) {
  return static_cast<const Element*>(arguments.operands[0].base) +
         image * arguments.operands[0].strides[0];
}

}  // namespace ait
