// Numbers workgroups of a dispatch that was folded into rows because one dimension holds at most 65535 of them.

fn linear_group(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}
