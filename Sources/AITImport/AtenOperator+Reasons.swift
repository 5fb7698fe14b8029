extension AtenOperator {
  /// Why an operator that has no entry cannot have one, in words that say what to do instead; nil for
  /// those that nobody has written yet.
  static func reason(against target: String) -> String? {
    let key = key(target)
    if target.hasSuffix(".higher_order.wrap_with_autocast") { return nil }
    if target.contains(".higher_order.") { return "control flow that depends on the data" }
    if let reason = reasons.first(where: { $0.names.contains(key) }) { return reason.text }
    if key.hasPrefix("fft_") || key.hasPrefix("_fft_") { return complexNumbers }
    return nil
  }

  private static let complexNumbers = "complex numbers are not supported"

  private static let reasons: [(names: Set<String>, text: String)] = [
    (
      [
        "masked_select", "nonzero", "nonzero_static", "argwhere", "unique", "_unique", "_unique2",
        "unique_dim",
        "unique_consecutive", "bincount", "_pack_padded_sequence", "_ctc_loss",
      ],
      "the shape of its result depends on the data: use where, or a mask"
    ),
    (
      ["item", "_local_scalar_dense", "is_nonzero", "equal", "allclose"],
      "it makes a number of a tensor's element: keep it a tensor"
    ),
    (
      [
        "rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm",
        "bernoulli",
        "multinomial", "normal", "normal_functional", "uniform", "exponential", "geometric",
        "poisson",
        "log_normal", "cauchy", "random", "native_dropout",
      ],
      "it draws random numbers: make them an input"
    ),
    (
      [
        "view_as_complex", "view_as_real", "complex", "polar", "real", "imag", "angle", "conj",
        "_conj", "stft", "istft", "resolve_conj",
      ],
      complexNumbers
    ),
    (
      [
        "linalg_inv", "linalg_inv_ex", "inverse", "linalg_det", "_linalg_det", "det", "slogdet",
        "linalg_slogdet", "_linalg_slogdet", "logdet", "linalg_solve", "_linalg_solve_ex",
        "linalg_solve_ex",
        "linalg_cholesky", "linalg_cholesky_ex", "cholesky", "linalg_qr", "linalg_svd",
        "_linalg_svd",
        "linalg_svdvals", "svd", "linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh",
        "_linalg_eigh", "linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_pinv",
        "pinverse", "linalg_lstsq", "linalg_matrix_exp", "matrix_exp", "linalg_solve_triangular",
        "triangular_solve", "linalg_matrix_rank", "linalg_cond",
      ],
      "matrices are not factorised"
    ),
  ]
}
