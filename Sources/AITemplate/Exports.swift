// One import gives users all they touch; the modules' other declarations stay within the package.
@_exported import AITFrontend
@_exported import AITGraph
@_exported import AITImport
@_exported import AITKernels
@_exported import AITLoader
@_exported import AITWeights
