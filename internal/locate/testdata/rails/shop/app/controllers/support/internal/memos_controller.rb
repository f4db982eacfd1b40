class Support::Internal::MemosController < ActionController::Base
  def index; end
end
