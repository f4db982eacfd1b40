class ArchiveController < ActionController::Base
  def month; end
end
