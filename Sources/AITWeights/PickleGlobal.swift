import AITGraph

/// A Python name that a pickle of tensors may mention: the whole of what the unpickler knows.
///
/// A name is data to it, never something to import or call: "calling" one runs the code in this
/// module that stands for it.
enum PickleGlobal: Hashable, Sendable {
  case rebuildTensor
  case rebuildTensorV2
  case rebuildTensorV3
  case rebuildParameter
  case rebuildParameterWithState
  case rebuildFromType
  case storageClass(String, ElementType?)
  case tensorClass(String)
  case elementType(String, ElementType)
  case size
  case orderedDictionary
  /// A class whose values are of no use here: sets, complex numbers, devices.
  case opaqueClass(String)
  case encode

  /// The name as Python spells it.
  var name: String {
    switch self {
    case .rebuildTensor: "torch._utils._rebuild_tensor"
    case .rebuildTensorV2: "torch._utils._rebuild_tensor_v2"
    case .rebuildTensorV3: "torch._utils._rebuild_tensor_v3"
    case .rebuildParameter: "torch._utils._rebuild_parameter"
    case .rebuildParameterWithState: "torch._utils._rebuild_parameter_with_state"
    case .rebuildFromType: "torch._tensor._rebuild_from_type_v2"
    case .storageClass(let name, _), .tensorClass(let name), .elementType(let name, _),
      .opaqueClass(let name):
      name
    case .size: "torch.Size"
    case .orderedDictionary: "collections.OrderedDict"
    case .encode: "_codecs.encode"
    }
  }

  /// The global of a module and a name.
  ///
  /// - Throws: `refusedPickle` for any other than those above.
  init(module: String, name: String) throws(Diagnostic) {
    let path = "\(module).\(name)"
    switch path {
    case "torch._utils._rebuild_tensor": self = .rebuildTensor
    case "torch._utils._rebuild_tensor_v2": self = .rebuildTensorV2
    case "torch._utils._rebuild_tensor_v3": self = .rebuildTensorV3
    case "torch._utils._rebuild_parameter": self = .rebuildParameter
    case "torch._utils._rebuild_parameter_with_state": self = .rebuildParameterWithState
    case "torch._tensor._rebuild_from_type_v2": self = .rebuildFromType
    case "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
      "torch.nn.Parameter", "torch.nn.Buffer":
      self = .tensorClass(path)
    case "torch.Size": self = .size
    case "collections.OrderedDict": self = .orderedDictionary
    case "torch.UntypedStorage", "torch.storage.UntypedStorage", "torch.storage._UntypedStorage":
      self = .storageClass(path, nil)
    case "torch.device", "__builtin__.set", "builtins.set", "__builtin__.frozenset",
      "builtins.frozenset", "__builtin__.complex", "builtins.complex", "__builtin__.bytes",
      "builtins.bytes", "__builtin__.bytearray", "builtins.bytearray", "collections.Counter":
      self = .opaqueClass(path)
    case "_codecs.encode": self = .encode
    default:
      if module == "torch", let type = ElementType.torchStorage(name) {
        self = .storageClass(path, type)
      } else if module == "torch", let type = ElementType.torch(name) {
        self = .elementType(path, type)
      } else {
        throw Diagnostic(
          .refusedPickle,
          "the file asks for \(quoted(path)), which is refused",
          hint: Self.advice(module, name)
        )
      }
    }
  }

  /// What to do about a name that is refused.
  private static func advice(_ module: String, _ name: String) -> String {
    let isTensorKind = module == "torch._utils" || module == "torch._tensor"
    switch name {
    case _ where isTensorKind && name.contains("sparse"):
      return "a sparse tensor; save it dense, with .to_dense()"
    case _ where isTensorKind && name.contains("qtensor"):
      return "a quantised tensor; save it with .dequantize(), or its parts as plain tensors"
    case _ where isTensorKind && name.contains("meta"):
      return "a tensor without values (device \"meta\"); save the model after loading its weights"
    case _ where module == "numpy" || module.hasPrefix("numpy."):
      return "a NumPy value; save it as a tensor (torch.as_tensor) or a number (.item())"
    case _ where module.hasPrefix("__torch__"):
      return "a TorchScript program; in PyTorch: "
        + "torch.save(torch.jit.load(path).state_dict(), \"weights.pt\")"
    default:
      return "nothing in the file was executed; save the tensors alone: "
        + "torch.save(model.state_dict(), \"weights.pt\"), or a .safetensors file"
    }
  }
}
