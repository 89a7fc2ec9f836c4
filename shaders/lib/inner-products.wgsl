// Inner products of a vector with the columns of a matrix. `vector * matrix` means the same.

fn inner_products(vector: vec4f, columns: mat4x4f) -> vec4f {
  return vec4f(
    dot(vector, columns[0]),
    dot(vector, columns[1]),
    dot(vector, columns[2]),
    dot(vector, columns[3]),
  );
}
