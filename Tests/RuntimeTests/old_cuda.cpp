// A CUDA driver of old, which lacks most of the functions; built as a libcuda.so.1 of its own.
extern "C" int cuDriverGetVersion(int* version) {
  *version = 11040;
  return 0;
}
